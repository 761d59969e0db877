"""device_info.json: read and checked. Loaded for that, then dropped again."""

import json
from binascii import a2b_base64, hexlify

from . import board
from .device_info import Endpoint
from .errors import ConfigError

# region: (gateway, MQTT), both below _DOMAIN (docs/protocol.md, 1). No pattern to rely on: the
# United States are under iotcloud, Europe and Bangkok under iothub.
REGIONS = {
    "china": ("ap-guangzhou.gateway", "iotcloud"),
    "us-east": ("us-east.gateway", "us-east.iotcloud"),
    "europe": ("europe.gateway", "europe.iothub"),
    "ap-bangkok": ("ap-bangkok.gateway", "ap-bangkok.iothub"),
}
_DOMAIN = ".tencentdevices.com"
_PORTS = {"https": 443, "http": 80, "mqtts": 8883, "mqtts+psk": 8883, "mqtt": 1883}
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-"


def fill(info):
    """Sets info's attributes from the file at info.path, checked.

    ConfigError names the file, the key and the remedy; no secret is in it.
    """
    path = info.path
    values = read(path)
    info.mode = mode = _text(path, values, "auth_mode", "KEY")
    if mode not in ("KEY", "CERT"):
        raise _wrong(path, "auth_mode", "is unknown", 'write "KEY" or "CERT"')
    info.section = "key_deviceinfo" if mode == "KEY" else "cert_deviceinfo"
    info.credential = None
    info.registered_at = 0
    info.product_id = _text(path, values, "productId")
    _check_name(path, "productId", info.product_id)
    info.product_secret = None
    if not blank(values.get("productSecret")):
        info.product_secret = secret = _text(path, values, "productSecret")
        if not 16 <= len(secret) <= 32 or not all("!" <= c <= "~" for c in secret):
            raise _wrong(
                path,
                "productSecret",
                "has %d characters" % len(secret),
                "copy the 16 to 32 characters of the product secret from the console",
            )
    name = _text(path, values, "deviceName")
    if "{mac}" in name:
        mac = hexlify(board.unique_id()).decode()
        if not mac:
            raise _wrong(path, "deviceName", "asks for {mac}, this board has none", "write a name")
        name = name.replace("{mac}", mac)
    _check_name(path, "deviceName", name)
    info.device_name = name
    info.client_id = info.product_id + name
    section = _section(path, values, info.section)
    secret = section.get("deviceSecret")
    if mode == "KEY" and not blank(secret) and not _base64(_text(path, section, "deviceSecret")):
        raise _wrong(path, "deviceSecret", "is no base64", "copy it anew")
    info.cert_file = _file(path, section, "devCertFile", "device_cert.pem")
    info.key_file = _file(path, section, "devPrivateKeyFile", "device_key.pem")
    info.burn = values.get("burnProductSecret") is True
    info.early = values.get("early") is not False
    info.wifi = _section(path, values, "wifi") or None
    if info.wifi:
        _text(path, info.wifi, "ssid")
        if info.wifi.get("password"):
            _text(path, info.wifi, "password")
    region = _text(path, values, "region", "china")
    if region not in REGIONS:
        raise _wrong(path, "region", "is unknown", "write one of " + ", ".join(sorted(REGIONS)))
    gateway, mqtt = (part + _DOMAIN for part in REGIONS[region])
    own = _section(path, values, "endpoint")
    info.gateway = _endpoint(path, own, "gateway", ("https", "http"), gateway)
    mqtt = info.product_id + "." + mqtt
    info.mqtt = _endpoint(path, own, "mqtt", ("mqtts", "mqtt", "mqtts+psk"), mqtt)
    info.date = _endpoint(path, own, "date", ("http",), info.gateway.host)


def need_product_secret(info):
    """ConfigError unless there is one to register with."""
    if not info.product_secret:
        raise _wrong(info.path, "productSecret", "is not filled in", "copy it from the console")


def _file(path, section, key, default):
    """An absolute path; one without a folder lies in /certs beside device_info.json."""
    name = default if blank(section.get(key)) else _text(path, section, key)
    return name if "/" in name else path[: path.rfind("/") + 1] + "certs/" + name


def _endpoint(path, own, key, schemes, host):
    ca = own.get(key + "Ca") and _text(path, own, key + "Ca")
    url = own.get(key)
    if url is None:
        return Endpoint(schemes[0], host, _PORTS[schemes[0]], ca)
    remedy = "write it as %s://host or %s://host:port" % (schemes + schemes)[:2]
    if not isinstance(url, str) or "://" not in url:
        raise _wrong(path, "endpoint." + key, "has no scheme", remedy)
    scheme, _, place = url.partition("://")
    host, _, number = place.rstrip("/").partition(":")
    if scheme not in schemes or not host or "/" in host:
        raise _wrong(path, "endpoint." + key, "is no such URL", remedy)
    if number and not (number.isdigit() and 0 < int(number) < 65536):
        raise _wrong(path, "endpoint." + key, "has no port between 1 and 65535", remedy)
    return Endpoint(scheme, host, int(number or _PORTS[scheme]), ca)


def _section(path, values, key):
    section = values.get(key)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise _wrong(path, key, "is no object", 'write {"…": "…"}')
    return section


def _text(path, values, key, default=None):
    value = values.get(key, default)
    if not isinstance(value, str) or not value:
        raise _wrong(path, key, "is missing or no text", "fill it in")
    if blank(value):
        raise _wrong(path, key, "still holds the placeholder", "fill it in")
    return value


def _wrong(path, key, fault, remedy):
    return ConfigError("config", "%s: %s %s: %s" % (path, key, fault, remedy))


def blank(value):
    """The vendor's samples write YOUR_… where nothing has been filled in yet."""
    return not value or (isinstance(value, str) and value.startswith("YOUR_"))


def _base64(text):
    try:
        return a2b_base64(text)
    except ValueError:
        return b""


def _check_name(path, key, name):
    # Never the value itself: a secret may have been put in the wrong place.
    bad = [c for c in name if c not in _NAME]
    if bad or not 1 <= len(name) <= 48:
        fault = "has %d characters" % len(name) if not bad else "holds the character %r" % bad[0]
        raise _wrong(path, key, fault, "use 1 to 48 of the characters A-Z a-z 0-9 : _ -")


def read(path):
    """The file's JSON object as a dict; ConfigError where there is none."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
    except OSError:
        raise ConfigError(
            "config",
            "%s: cannot be read: copy it onto the board ('mpremote cp device_info.json :')" % path,
        ) from None
    except UnicodeError:
        text = ""
    return parse(path, text)


def parse(path, text):
    """The dict in text, which stands at path; ConfigError where it is no JSON object."""
    fault = "is no whole JSON object: mend it or copy it anew"
    if text[:1] == "\ufeff":
        fault = "begins with a byte order mark: save it as UTF-8 without one"
    elif _trailing_comma(text):  # MicroPython reads past it, other tools do not
        fault = "has a comma before a closing bracket: take it out"
    else:
        try:
            values = json.loads(text)
            if isinstance(values, dict):
                return values
        except (ValueError, RuntimeError):  # RuntimeError: nested too deep
            pass
    raise ConfigError("config", "%s: %s" % (path, fault))


def _trailing_comma(text):
    in_string = escaped = False
    last = ""
    for char in text:
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char not in " \t\r\n":
            if char in "}]" and last == ",":
                return True
            in_string = char == '"'
            last = char
    return False
