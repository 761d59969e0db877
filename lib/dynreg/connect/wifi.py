"""Joining Wi-Fi with a deadline of our own: an ESP32 by itself tries for ever."""

from micropython import const

from .. import log, port
from ..errors import NetworkError

_PATIENCE_MS = const(60000)


def join(ssid, password=None, ms=15000):
    """Joins the network; True once an address is there, NetworkError after ms milliseconds.

    False on a platform that has no Wi-Fi of its own. A station that is let in and only waits for
    its address is left to it, from one call to the next, unless a whole minute was not enough.
    """
    try:
        import network
    except ImportError:
        return False
    wlan = network.WLAN(network.STA_IF)
    if wlan.isconnected():
        return True
    end = port.ticks_add(port.ticks_ms(), ms)
    try:
        if not _let_in(wlan):
            log.info("wifi: joining %s" % ssid)
            try:
                wlan.active(True)
                wlan.disconnect()  # a connect() during a connect() raises
            except OSError:
                pass  # was not connected
            wlan.connect(ssid, password)
        while not wlan.isconnected():
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                why = "does not let us in: is the password right?"
                if _let_in(wlan):
                    why = "lets us in, but gives no address: does its DHCP server answer?"
                elif wlan.status() == 201:  # NO_AP_FOUND; a wrong password has no number
                    why = "is not in reach"
                if ms >= _PATIENCE_MS or not _let_in(wlan):
                    wlan.disconnect()
                raise NetworkError(
                    "network.wifi", "no Wi-Fi after %d s: %r %s" % (ms // 1000, ssid, why)
                )
            port.pause(50)
    except OSError as error:
        raise NetworkError("network.wifi", "Wi-Fi does not start: %r" % error) from None
    log.info("wifi: %s" % wlan.ifconfig()[0])
    return True


def _let_in(wlan):
    """Whether the station is associated, with an address or without."""
    try:
        return wlan.status("rssi") < 0  # OSError where it is not
    except (OSError, ValueError, TypeError, AttributeError):
        return False
