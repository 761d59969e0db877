"""Joins the Wi-Fi of device_info.json, within 15 s, and returns whatever happens.

main.py has the sentences for a person; a boot.py that stops would lock the board up.
"""

try:
    from dynreg import log
    from dynreg.device_info import DeviceInfo
    from dynreg.wifi import join

    try:
        wifi = DeviceInfo().wifi
        if wifi:
            join(wifi["ssid"], wifi.get("password"))
    except Exception as error:
        log.warning("boot: no Wi-Fi: %s" % error)
except ImportError as error:
    print("boot: no dynreg on this board:", error)
