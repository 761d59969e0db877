"""What device_info.json says: who this device is and where it goes. device_file.py reads it."""

from . import port


class Endpoint:
    """Where a service is: scheme, host, port; ca: path of its own CA file, or None."""

    def __init__(self, scheme, host, port_number, ca=None):
        self.scheme = scheme
        self.host = host
        self.port = port_number
        self.ca = ca
        self.secure = scheme not in ("http", "mqtt")

    def __str__(self):
        return "%s://%s:%d" % (self.scheme, self.host, self.port)


class DeviceInfo:
    """What device_info.json says, checked; ConfigError where it is missing or wrong.

    mode ("KEY" or "CERT"), product_id, product_secret (None where it is not filled in),
    device_name (with {mac} filled in), client_id, credential and registered_at (Unix seconds, 0
    unknown; both set by credentials.load()), section (where the credential stands), cert_file and
    key_file (paths), burn and early (bool), gateway, mqtt and date (Endpoint), wifi (dict or
    None), path.
    """

    mode: str
    section: str
    product_id: str
    product_secret: str
    device_name: str
    client_id: str
    credential: str
    registered_at: int
    cert_file: str
    key_file: str
    burn: bool
    early: bool
    wifi: dict
    gateway: Endpoint
    mqtt: Endpoint
    date: Endpoint

    def __init__(self, path="/device_info.json"):
        from . import device_file

        self.path = path
        device_file.fill(self)
        del device_file
        port.forget("device_file", "board")
