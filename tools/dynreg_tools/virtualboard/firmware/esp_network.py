"""network.WLAN of an ESP32: joining takes time, failing never ends. Device side.

The radio outlives a soft reset, so the relay remembers the last state it was sent. An access point
is on this machine's loopback, with other ports: who is here is in it, whatever its password.
"""

import json as _json

import _board

_ticks_ms = _board.now_ms

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_JOIN_MS = 150  # a fast access point on a real board needs 10 to 30 times as long

_state = _board.config["wifi_state"]  # active, ssid, key; point: the access point
_OPEN = 0
_POINT_ADDRESS = "127.0.0.1"
# As an ESP32's is before it is configured, or as it was left by a soft reset.
_point = {"on": False, "ssid": "ESP_000000", "key": "", "security": _OPEN, "channel": 1}
_point.update(_state["point"])
_state["point"] = _point
_POINT_NAMES = {"essid": "ssid", "password": "key", "authmode": "security"}
_settings = {"hostname": "mpy-esp32", "country": "XX", "since": _ticks_ms()}


def _send_state():
    _board.send("N" + _json.dumps(_state))


def _right():
    """The access point asked for is there and takes the key."""
    access_points = _board.config["wifi"]
    ssid = _state["ssid"]
    return ssid in access_points and (
        not access_points[ssid] or access_points[ssid] == _state["key"]
    )


def _configure_point(settings):
    if not _point["on"]:
        raise OSError("Wifi Mode Error")
    new = dict(_point)
    for alias, value in settings.items():
        name = _POINT_NAMES.get(alias, alias)
        if name in ("ssid", "key", "security", "channel"):
            new[name] = value.decode() if isinstance(value, bytes) else value
        elif name not in ("max_clients", "hidden", "hostname", "dhcp_hostname"):
            raise ValueError("unknown config param")
    if new["security"] != _OPEN and not 8 <= len(new["key"].encode()) < 64:
        raise OSError("Wifi Invalid Password")
    if not 0 < len(new["ssid"].encode()) <= 32:
        raise OSError("Wifi Invalid SSID")
    _point.update(new)
    _send_state()


def _point_port(address):
    """The port of this machine that stands for the access point's; None for any other address."""
    if _point["on"] and address[0] == _POINT_ADDRESS:
        return _board.config["ports"].get(str(address[1]))
    return None


def _joining_ms():
    return _ticks_ms() - _settings["since"]


def _joined():
    if not _state["active"] or _state["ssid"] is None:
        return False
    return _right() and (_state["kept"] or _joining_ms() >= _JOIN_MS)


def hostname(name=None):
    if name is None:
        return _settings["hostname"]
    _settings["hostname"] = name


def country(code=None):
    if code is None:
        return _settings["country"]
    _settings["country"] = code


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        self._sta = interface == STA_IF

    def active(self, on=None):
        if not self._sta:
            if on is not None and bool(on) != _point["on"]:
                _point["on"] = bool(on)
                _send_state()
            return _point["on"]
        if on is not None and bool(on) != _state["active"]:
            _state["active"] = bool(on)
            _state["ssid"] = _state["key"] = None
            _send_state()
        return _state["active"]

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not _state["active"]:
            raise OSError("Wifi Not Started")
        if _state["ssid"] is not None and not _joined():
            raise OSError("Wifi Internal State Error")
        if ssid is None:
            ssid = _state["ssid"] or ""
        _state["ssid"] = ssid.decode() if isinstance(ssid, bytes) else ssid
        _state["key"] = key.decode() if isinstance(key, bytes) else key
        _state["kept"] = False
        _settings["since"] = _ticks_ms()
        _send_state()

    def disconnect(self):
        if not _state["active"]:
            raise OSError("Wifi Not Started")
        _state["ssid"] = _state["key"] = None
        _send_state()

    def isconnected(self):
        return self._sta and _joined()

    def status(self, param=None):
        if param == "rssi":
            if not _joined():
                raise OSError("Wifi Not Connected")
            return -55
        if param is not None:
            raise ValueError("unknown status param")
        if not self._sta:
            return None
        if _joined():
            return STAT_GOT_IP
        if _state["ssid"] is None:
            return STAT_IDLE
        scanned = _joining_ms() >= _JOIN_MS
        if scanned and _state["ssid"] not in _board.config["wifi"]:
            return STAT_NO_AP_FOUND
        return STAT_CONNECTING  # a wrong WPA2 password looks like this for ever

    def ifconfig(self, settings=None):
        if settings is not None:
            return None
        if not self._sta:
            return (_POINT_ADDRESS if _point["on"] else "0.0.0.0", "255.255.255.0") + (
                _POINT_ADDRESS,
            ) * 2
        if self.isconnected():
            return (
                "192.168.4.%d" % (_board.config["mac"][5] or 1),
                "255.255.255.0",
                "192.168.4.254",
                "192.168.4.254",
            )
        return ("0.0.0.0",) * 4

    def config(self, *args, **settings):
        if settings:
            return None if self._sta else _configure_point(settings)
        if not self._sta and args and _POINT_NAMES.get(args[0], args[0]) in _point:
            return _point[_POINT_NAMES.get(args[0], args[0])]
        if args == ("mac",):
            mac = _board.config["mac"]
            return bytes(mac if self._sta else mac[:5] + [(mac[5] + 1) & 255])
        if args in (("ssid",), ("essid",)):
            return _state["ssid"] or ""
        if args in (("hostname",), ("dhcp_hostname",)):
            return _settings["hostname"]
        if args == ("channel",):
            return 6
        if args in (("reconnects",), ("pm",)):
            return -1 if args[0] == "reconnects" else 1
        raise ValueError("unknown config param")

    def scan(self):
        if not _state["active"]:
            raise OSError("STA must be active")
        found = []
        for n, (ssid, key) in enumerate(_board.config["wifi"].items()):
            bssid = b"\x02\x00\x00\x00\x00" + bytes([n])
            found.append((ssid.encode(), bssid, 6, -55 - n, 3 if key else 0, False))
        return found
