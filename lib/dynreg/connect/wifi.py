"""Joining Wi-Fi with a deadline of our own: an ESP32 by itself tries for ever."""

from micropython import const

from .. import log, port
from ..errors import NetworkError

_ADDRESS_MS = const(60000)  # the address included: a DHCP server may take 30 s


def join(ssid, password=None, ms=15000):
    """Joins the network; True once an address is there, NetworkError after ms milliseconds.

    A station that is let in within ms, and only waits for its address, has a minute. False on a
    platform that has no Wi-Fi of its own.
    """
    try:
        import network
    except ImportError:
        return False
    wlan = network.WLAN(network.STA_IF)
    if wlan.isconnected():
        return True
    log.info("wifi: joining %s" % ssid)
    try:
        wlan.active(True)
        wlan.disconnect()  # a connect() during a connect() raises
    except OSError:
        pass  # was not connected
    began = port.ticks_ms()
    try:
        wlan.connect(ssid, password)
        while not wlan.isconnected():
            if port.ticks_diff(port.ticks_ms(), began) >= ms:
                why = "does not let us in: is the password right?"
                if wlan.status() == 201:  # NO_AP_FOUND; a wrong password has no number
                    why = "is not in reach"
                try:
                    wlan.status("rssi")  # raises unless the station is associated
                    why = "lets us in, but gives no address: does DHCP answer?"
                    if ms < _ADDRESS_MS:
                        ms = _ADDRESS_MS
                        continue
                except (OSError, ValueError, TypeError):
                    pass
                wlan.disconnect()
                raise NetworkError(
                    "network.wifi", 'no Wi-Fi after %d s: "%s" %s' % (ms // 1000, ssid, why)
                )
            port.pause(50)
    except OSError as error:
        raise NetworkError("network.wifi", "Wi-Fi does not start: %r" % error) from None
    log.info("wifi: %s" % wlan.ifconfig()[0])
    return True
