"""device_info.json: read and checked."""

import ujson as json
import uos as os
from micropython import const
from ubinascii import hexlify

from .. import port
from ..connect.hmac import key
from ..errors import ConfigError
from .credentials import blank

# A region, its gateway, where its MQTT hosts are, all below _DOMAIN (docs/protocol.md, 1). No
# pattern to rely on: the United States are under iotcloud, Europe and Bangkok under iothub.
REGIONS = (
    "china ap-guangzhou.gateway iotcloud",
    "us-east us-east.gateway us-east.iotcloud",
    "europe europe.gateway europe.iothub",
    "ap-bangkok ap-bangkok.gateway ap-bangkok.iothub",
)
_DOMAIN = const(".tencentdevices.com")
_GATEWAY = const("https 443 http 80")  # schemes and their ports, the default first
_MQTT = const("mqtts 8883 mqtt 1883 mqtts+psk 8883")
_DATE = const("http 80 http 80")
_FOREIGN = const("dynregRegistHost otherMqttDomainHost")  # of the vendor's other SDKs
_BROKEN = const("is no whole JSON object: mend it or copy it anew")
_MOST_SPREAD_S = const(3600)
_KEY = const(1)
_VALUE = const(2)
_NAME = const(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-")


def load(info):
    """What the file at info.path says: DeviceInfo's attributes by name, endpoints as tuples.

    ConfigError names the file, the key and the remedy; no secret is in it.
    """
    values = read(info.path)
    mode = _text(info, values, "auth_mode", "KEY")
    if mode not in ("KEY", "CERT"):
        raise _wrong(info, "auth_mode", "is unknown here", 'write "KEY" or "CERT"')
    product_id = _text(info, values, "productId")
    _check_name(info, "productId", product_id)
    product_secret = None
    if not blank(values.get("productSecret"), True):
        product_secret = _text(info, values, "productSecret")
        if not 16 <= len(product_secret) <= 32 or not all(
            33 <= byte <= 126 for byte in product_secret.encode()
        ):
            raise _wrong(
                info,
                "productSecret",
                "has %d characters" % len(product_secret),
                "copy the 16 to 32 characters of the product secret from the console",
            )
    name = _text(info, values, "deviceName")
    if "{mac}" in name:
        mac = hexlify(port.unique_id()).decode()
        if not mac:
            raise _wrong(info, "deviceName", "asks for {mac}, this board has none", "write a name")
        name = name.replace("{mac}", mac)
    _check_name(info, "deviceName", name)
    place = "key_deviceinfo" if mode == "KEY" else "cert_deviceinfo"
    section = _section(info, values, place)
    if mode == "KEY" and not blank(section.get("deviceSecret"), True):
        try:
            key(_text(info, section, "deviceSecret"))
        except ValueError:
            raise _wrong(
                info,
                "deviceSecret",
                "is no base64 as the console shows it",
                "copy it anew, with its = and without blanks",
            ) from None
    # Absolute paths; a file without a folder lies in certs/ beside device_info.json.
    files = ["device_cert.pem", "device_key.pem"]
    for i, entry in enumerate(("devCertFile", "devPrivateKeyFile")):
        if not blank(section.get(entry)):
            files[i] = _text(info, section, entry)
        if "/" not in files[i]:
            files[i] = "%scerts/%s" % (info.path[: info.path.rfind("/") + 1], files[i])
    wifi = _section(info, values, "wifi")
    if wifi:
        for entry in ("ssid", "password"):
            if entry == "ssid" or wifi.get(entry):
                wifi[entry] = _joined(info, entry, _text(info, wifi, entry))
    region = _text(info, values, "region", REGIONS[0].split()[0])
    for line in REGIONS:
        known, gateway, mqtt = line.split()
        if known == region:
            break
    else:
        known = sorted(line.split()[0] for line in REGIONS)
        raise _wrong(info, "region", "is unknown here", "write one of " + ", ".join(known))
    for line in _FOREIGN.split():
        if not blank(values.get(line)):
            raise _wrong(
                info, line, "is not looked at here", "write endpoint.gateway or endpoint.mqtt"
            )
    spread = values.get("spread") or 0
    if not isinstance(spread, int) or not 0 <= spread <= _MOST_SPREAD_S:
        raise _wrong(info, "spread", "is no number of seconds", "write 0 to %d" % _MOST_SPREAD_S)
    own = _section(info, values, "endpoint")
    gateway = _endpoint(info, own, "gateway", _GATEWAY, gateway + _DOMAIN)
    return {
        "mode": mode,
        "section": place,
        "product_id": product_id,
        "product_secret": product_secret,
        "device_name": name,
        "client_id": product_id + name,
        "owner": product_id + "/" + name,
        "cert_file": files[0],
        "key_file": files[1],
        "burn": values.get("burnProductSecret") is True,
        "early": values.get("early") is not False,
        "spread": spread,
        "wifi": wifi or None,
        "gateway": gateway,
        "mqtt": _endpoint(info, own, "mqtt", _MQTT, product_id + "." + mqtt + _DOMAIN),
        "date": _endpoint(info, own, "date", _DATE, gateway[1]),
    }


def _endpoint(info, values, key, text, host):
    """(scheme, host, port, CA file); text: the schemes and their ports, host: the default."""
    items = text.split()
    ca = values.get(key + "Ca") and _text(info, values, key + "Ca")
    url = values.get(key)
    if url is None:
        return items[0], host, int(items[1]), ca
    remedy = "write it as %s://host or %s://host:port" % (items[0], (items * 2)[2])
    key = "endpoint.%s" % key
    if not isinstance(url, str) or "://" not in url:
        raise _wrong(info, key, "has no scheme", remedy)
    scheme, _, place = url.partition("://")
    host, _, number = place.rstrip("/").partition(":")
    if scheme not in items[::2] or not host or "/" in host:
        raise _wrong(info, key, "is no such URL", remedy)
    if number and not (number.isdigit() and 0 < int(number) < 65536):
        raise _wrong(info, key, "has no port between 1 and 65535", remedy)
    return scheme, host, int(number or items[items.index(scheme) + 1]), ca


def _section(info, values, key):
    section = values.get(key)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise _wrong(info, key, "is no object", 'write {"…": "…"}')
    return section


def _text(info, values, key, value=None):
    value = values.get(key, value)
    if not isinstance(value, str) or not value:
        raise _wrong(info, key, "is missing or no text", "please fill it in")
    if blank(value):
        raise _wrong(info, key, "still holds the placeholder", "please fill it in")
    return value


def _wrong(info, key, text, message):
    return ConfigError("config", "%s: %s %s: %s" % (info.path, key, text, message))


def _check_name(info, key, name):
    # Never the value itself: a secret may have been put in the wrong place.
    fault = None
    raw = name.encode()
    if not 1 <= len(name) <= 48:
        fault = "has %d characters" % len(name)
    for i, byte in enumerate(raw):
        if byte not in _NAME:
            fault = ('holds the character "%s"' if byte > 127 else "holds the character %r") % (
                raw[i:].decode()[:1]
            )
            break
    if fault:
        raise _wrong(info, key, fault, "use 1 to 48 of the characters A-Z a-z 0-9 : _ -")


def read(path):
    """The file's JSON object as a dict; ConfigError where there is none."""
    try:
        return parse(path, _contents(path))
    except OSError:
        pass
    try:  # a power cut on FAT may have left it under its temporary name only
        values = parse(path, _contents(path + ".tmp"))
        os.rename(path + ".tmp", path)
        return values
    except (OSError, ConfigError):  # cut off while it was written: it never was in force
        pass
    raise ConfigError(
        "config",
        "%s: cannot be read: copy it onto the board ('mpremote cp device_info.json :')" % path,
    )


def _contents(path):
    with open(path, "rb") as file:
        return file.read()


def parse(path, data):
    """The dict in data (bytes), which stands at path; ConfigError where it is no JSON object."""
    fault = None
    try:
        text = data.decode()
        if data[:3] == b"\xef\xbb\xbf":
            fault = "begins with a byte order mark: save it as UTF-8 without one"
        elif 0 in data[:2] and 0x7B in data[:2]:
            raise UnicodeError
        else:
            fault = _fault(data)
            values = json.loads(text)
            if not fault and isinstance(values, dict):
                return values
    except UnicodeError:
        name = _encoding(data)
        if name:
            fault = "is saved as %s: save it as UTF-8" % name
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        pass
    raise ConfigError("config", "%s: %s" % (path, fault or _BROKEN))


def _encoding(data):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in data[:2]:
        return "UTF-16"
    if 0xFF in data:  # erased flash is no text at all
        return None
    run = runs = 0
    for byte in data:
        if byte > 127:
            run += 1
        else:
            runs |= run
            run = 0
    return "Latin-1" if runs & 1 else "GBK"  # which takes two bytes a character


def _fault(data):
    """What is wrong with the brackets, commas and colons in data, in words; None: nothing.

    MicroPython reads past all of it, before 1.26 past the end of a file that is cut off too.
    """
    stack = []  # the closing brackets to come
    last = 0  # the token before this one: a bracket, comma or colon, _KEY or _VALUE
    line = 1
    string = escaped = scalar = False
    for byte in data:
        if string:
            string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
            continue
        if scalar and byte not in b' \t\r\n,:{}[]"':
            continue
        scalar = False
        if byte in b" \t\r\n":
            line += byte == 10
        elif byte in b",:}]":
            if last == _KEY and byte != 0x3A:
                return "lacks a colon in line %d: put it in" % line
            if byte != 0x3A and last != _VALUE and 0x2C in (byte, last) and stack:
                return "has a comma too many in line %d: take it out" % line
            if not stack or (last != _KEY if byte == 0x3A else last == 0x3A):
                return _BROKEN
            last = byte
            if byte in b"}]":
                last = _VALUE
                if stack.pop() != byte:
                    return _BROKEN
        else:
            if last in (_KEY, _VALUE):
                if not stack:
                    return _BROKEN
                return "lacks a %s in line %d: put it in" % (
                    "colon" if last == _KEY else "comma",
                    line,
                )
            key = last in (0x7B, 0x2C) and stack[-1] == 0x7D
            if key and byte != 0x22:
                return _BROKEN
            last = _KEY if key else _VALUE
            if byte == 0x22:
                string = True
            elif byte in b"{[":
                stack.append(byte + 2)
                last = byte
            else:
                scalar = True
    return _BROKEN if stack or string or last != _VALUE else None


def _joined(info, key, text):
    """text with its surrogate pairs, which MicroPython's json leaves apart, put together."""
    try:
        raw = text.encode()
        at = raw.find(b"\xed")
        while at >= 0:
            if raw[at + 1] > 0x9F:  # half of a pair
                if not b"\xed\xb0" <= raw[at + 3 : at + 5] <= b"\xed\xbf" or raw[at + 1] > 0xAF:
                    raise ValueError
                code = (raw[at + 1] & 15) << 16 | (raw[at + 2] & 63) << 10
                code += 0x10000 + ((raw[at + 4] & 15) << 6) + (raw[at + 5] & 63)
                raw = raw[:at] + chr(code).encode() + raw[at + 6 :]
            at = raw.find(b"\xed", at + 1)
        return raw.decode()
    except ValueError:
        raise _wrong(info, key, "holds half a character (\\ud…)", "write it out") from None
