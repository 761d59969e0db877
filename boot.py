"""Joins the Wi-Fi of device_info.json, within 15 s, and returns whatever happens.

main.py has the sentences for a person; a boot.py that stops would lock the board up.
"""


def join():
    try:
        from dynreg import log, port
        from dynreg.device import DeviceInfo

        try:
            settings = DeviceInfo().wifi
            if settings:
                port.step("connect.wifi", "join", settings["ssid"], settings.get("password"))
        except Exception as error:
            log.warning("boot: no Wi-Fi: %s" % error)
    except ImportError as error:
        print("boot: no dynreg on this board:", error)


join()
del join  # main.py shares these names: what stands here would stay in memory
