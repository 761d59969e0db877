"""Joining Wi-Fi with a deadline of our own: an ESP32 by itself tries for ever."""

from .. import log, port
from ..errors import NetworkError


def join(ssid, password=None, ms=15000):
    """Joins the network; True once an address is there, NetworkError after ms milliseconds.

    False on a platform that has no Wi-Fi of its own.
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
    end = port.ticks_add(port.ticks_ms(), ms)
    try:
        wlan.connect(ssid, password)
        while not wlan.isconnected():
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                why = "does not let us in: is the password right?"
                if wlan.status() == 201:  # NO_AP_FOUND; a wrong password has no number
                    why = "is not in reach"
                wlan.disconnect()
                raise NetworkError(
                    "network.wifi", 'no Wi-Fi after %d s: "%s" %s' % (ms // 1000, ssid, why)
                )
            port.pause(50)
    except OSError as error:
        raise NetworkError("network.wifi", "Wi-Fi does not start: %r" % error) from None
    log.info("wifi: %s" % wlan.ifconfig()[0])
    return True
