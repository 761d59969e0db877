"""The access point and the station beside it: what is in reach, and a try to join that waits not.

As ports/esp32/network_wlan.c of MicroPython 1.22 to 1.29 has them.
"""

from micropython import const

from ... import log, port
from ...errors import NetworkError

_MOST = const(20)  # networks on the page
_WPA2 = const(3)
# What the station joins by name and password: open, WPA2, WPA/WPA2, WPA3, WPA2/WPA3, WPA3 Ext.
_JOINED = const(b"\x00\x03\x04\x06\x07\x0b\x0c")
_TRY_MS = const(20000)
_ADDRESS_MS = const(40000)
_NOT_FOUND = (201, 210, 211, 212)


class Radio:
    """Station and access point. NetworkError "network.wifi" where either does not start.

    ImportError on a platform that has no Wi-Fi of its own.
    """

    def __init__(self):
        import network

        self.networks = []  # (name as bytes, dBm, whether open, whether it can be joined)
        self._channel = 1
        self._began = None
        self._station = network.WLAN(network.STA_IF)
        self._point = network.WLAN(network.AP_IF)
        try:
            self._station.active(True)
        except OSError as error:
            raise NetworkError("network.wifi", "Wi-Fi does not start: %r" % error) from None
        self.stop()

    def scan(self):
        """Looks what is in reach; some seconds, during which nothing else runs."""
        port.idle()
        try:
            found = sorted(self._station.scan(), key=lambda one: -one[3])
        except OSError as error:
            log.warning("setup: nothing can be searched for: %r" % error)
            return
        port.idle()
        self.networks = []
        known = {b""}  # hidden ones have no name
        for name, _, channel, strength, kind, *_ in found:
            if name in known or len(self.networks) == _MOST:
                continue
            known.add(name)
            can = kind in _JOINED
            try:
                name.decode()
            except UnicodeError:
                can = False  # device_info.json is UTF-8
            if can and not any(one[3] for one in self.networks) and 0 < channel < 12:
                self._channel = channel
            self.networks.append((name, strength, kind == 0, can))

    def open(self, name, password):
        """The access point goes on the air, WPA2 or not at all; its address as text."""
        point = self._point
        how = {"ssid": name, "key": password, "security": _WPA2, "max_clients": 4}
        # Where the strongest network is: joining it then moves no channel, which phones take ill.
        how["channel"] = self._channel
        try:
            try:
                point.config(**how)
            except OSError:
                pass  # ESP-IDF takes it only once it is on
            point.active(True)
            point.config(**how)
            if point.config("security") != _WPA2:
                raise OSError("no WPA2")
            return point.ifconfig()[0]
        except (OSError, ValueError) as error:
            point.active(False)
            text = "the access point does not start: %r" % error
            raise NetworkError("network.wifi", text) from None

    def close(self):
        """Only the station stays, joined or idle."""
        if self._began is not None:
            self.stop()
        self._point.active(False)

    def stop(self):
        """An ESP32 tries for ever otherwise, on channel after channel."""
        self._began = None
        try:
            self._station.disconnect()
        except OSError:
            pass  # was not connected

    def begin(self, name, password):
        """Begins to join; step() says what has become of it."""
        self.stop()
        self._began = port.ticks_ms()
        try:
            self._station.connect(name, password)
        except OSError as error:
            log.warning("setup: %r" % error)

    def step(self):
        """None while nothing is to tell; then once "joined", or "password", "reach", "address"."""
        if self._began is None:
            return None
        if self._station.isconnected():
            self._began = None
            return "joined"
        passed = port.ticks_diff(port.ticks_ms(), self._began)
        if passed < _TRY_MS:
            return None
        why = "reach" if self._station.status() in _NOT_FOUND else "password"
        try:
            self._station.status("rssi")  # raises unless the station is associated
            if passed < _ADDRESS_MS:
                return None
            why = "address"
        except (OSError, ValueError, TypeError):
            pass
        self.stop()
        return why
