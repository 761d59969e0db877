"""device_info.json: read, checked, and turned into who this device is and where it goes."""

import json
from binascii import a2b_base64, hexlify

from . import port
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
_PORTS = {"https": 443, "http": 80, "mqtts": 8883, "mqtt": 1883}
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-"


class Endpoint:
    """Where a service is: scheme, host, port; ca: path of its own CA file, or None."""

    def __init__(self, scheme, host, port_number, ca=None):
        self.scheme = scheme
        self.host = host
        self.port = port_number
        self.ca = ca
        self.secure = scheme in ("https", "mqtts")

    @property
    def authority(self):
        """What a Host header says: the port only where it is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else "%s:%d" % (self.host, self.port)

    def __str__(self):
        return "%s://%s:%d" % (self.scheme, self.host, self.port)


class DeviceInfo:
    """What device_info.json says, checked.

    mode ("KEY" or "CERT"), product_id, product_secret (None where it is not filled in),
    device_name (with {mac} filled in), credential and registered_at (Unix
    seconds, 0 unknown; both set by credentials.load()), cert_file and
    key_file (paths), burn (bool), gateway and mqtt (Endpoint), wifi (dict or None), path.
    ConfigError names the file, the key and the remedy; no secret is in it.
    """

    def __init__(self, path="/device_info.json"):
        self.path = path
        values = read(path)
        self.mode = self._text(values, "auth_mode", "KEY")
        if self.mode not in ("KEY", "CERT"):
            raise self._wrong("auth_mode", "is %r" % self.mode, 'write "KEY" or "CERT"')
        self.section = "key_deviceinfo" if self.mode == "KEY" else "cert_deviceinfo"
        self.credential = None
        self.registered_at = 0
        self.product_id = self._text(values, "productId")
        _check_name(self, "productId", self.product_id)
        self.product_secret = None
        if not blank(values.get("productSecret")):
            self.product_secret = secret = self._text(values, "productSecret")
            if not 16 <= len(secret) <= 32 or not _printable(secret):
                raise self._wrong(
                    "productSecret",
                    "has %d characters" % len(secret),
                    "copy the 16 to 32 characters of the product secret from the console",
                )
        name = self._text(values, "deviceName")
        if "{mac}" in name:
            mac = hexlify(port.unique_id()).decode()
            if not mac:
                raise self._wrong(
                    "deviceName", "asks for {mac}, this board has none", "write a name"
                )
            name = name.replace("{mac}", mac)
        _check_name(self, "deviceName", name)
        self.device_name = name
        section = self._section(values, self.section)
        secret = "" if blank(section.get("deviceSecret")) else self._text(section, "deviceSecret")
        if self.mode == "KEY" and secret and not _base64(secret):
            raise self._wrong("deviceSecret", "is no base64", "copy it anew")
        self.cert_file = self._file(section, "devCertFile", "device_cert.pem")
        self.key_file = self._file(section, "devPrivateKeyFile", "device_key.pem")
        self.burn = values.get("burnProductSecret") is True
        self.wifi = self._section(values, "wifi") or None
        if self.wifi:
            self._text(self.wifi, "ssid")
            if self.wifi.get("password"):
                self._text(self.wifi, "password")
        self._endpoints(values)

    @property
    def client_id(self):
        return self.product_id + self.device_name

    def need_product_secret(self):
        """ConfigError unless there is one to register with."""
        if not self.product_secret:
            raise self._wrong("productSecret", "is not filled in", "copy it from the console")

    def _file(self, section, key, default):
        """An absolute path; one without a folder lies in /certs beside device_info.json."""
        name = default if blank(section.get(key)) else self._text(section, key)
        return name if "/" in name else self.path[: self.path.rfind("/") + 1] + "certs/" + name

    def _endpoints(self, values):
        region = self._text(values, "region", "china")
        if region not in REGIONS:
            raise self._wrong(
                "region", "is %r" % region, "write one of " + ", ".join(sorted(REGIONS))
            )
        gateway, mqtt = REGIONS[region]
        own = self._section(values, "endpoint")
        self.gateway = self._endpoint(own, "gateway", ("https", "http"), gateway + _DOMAIN)
        mqtt = self.product_id + "." + mqtt + _DOMAIN
        self.mqtt = self._endpoint(own, "mqtt", ("mqtts", "mqtt"), mqtt)

    def _endpoint(self, own, key, schemes, host):
        ca = own.get(key + "Ca") and self._text(own, key + "Ca")
        url = own.get(key)
        if url is None:
            return Endpoint(schemes[0], host, _PORTS[schemes[0]], ca)
        remedy = "write it as %s://host or %s://host:port" % schemes
        if not isinstance(url, str) or "://" not in url:
            raise self._wrong("endpoint." + key, "has no scheme", remedy)
        scheme, _, place = url.partition("://")
        host, _, number = place.rstrip("/").partition(":")
        if scheme not in schemes or not host or "/" in host:
            raise self._wrong("endpoint." + key, "is %r" % url, remedy)
        if number and not (number.isdigit() and 0 < int(number) < 65536):
            raise self._wrong("endpoint." + key, "has no port between 1 and 65535", remedy)
        return Endpoint(scheme, host, int(number or _PORTS[scheme]), ca)

    def _section(self, values, key):
        section = values.get(key)
        if section is None:
            return {}
        if not isinstance(section, dict):
            raise self._wrong(key, "is no object", 'write {"…": "…"}')
        return section

    def _text(self, values, key, default=None):
        value = values.get(key, default)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "is missing or no text", "fill it in")
        if blank(value):
            raise self._wrong(key, "still holds the placeholder", "fill it in")
        return value

    def _wrong(self, key, fault, remedy):
        return ConfigError("config", "%s: %s %s: %s" % (self.path, key, fault, remedy))


def blank(value):
    """The vendor's samples write YOUR_… where nothing has been filled in yet."""
    return not value or (isinstance(value, str) and value.startswith("YOUR_"))


def _base64(text):
    try:
        return a2b_base64(text)
    except ValueError:
        return b""


def _printable(text):
    return all("!" <= c <= "~" for c in text)


def _check_name(info, key, name):
    if not 1 <= len(name) <= 48 or any(c not in _NAME for c in name):
        raise info._wrong(
            key,
            "is %r (%d characters)" % (name, len(name)),
            "use 1 to 48 of the characters A-Z a-z 0-9 : _ -",
        )


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
        except ValueError:
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
