class DynregError(Exception):
    """Base of every error that dynreg raises; `str(error)` is one sentence for a person.

    code: stable text for programs, such as "config" or "network.timeout" (docs/errors.md has all).
    retry: True where trying again soon, with nothing changed on the board, may succeed; a number
    where it may in so many seconds, no earlier (900: tried again every 15 to 60 minutes); False
    where only a person can mend it, on the board itself.
    cloud_code, cloud_message, request_id: the cloud's own words, where it spoke; else None.
    """

    code: str
    retry: bool | int
    cloud_code: str | None
    cloud_message: str | None
    request_id: str | None
    def __init__(self, code: str, message: str, retry: bool | int | None = None) -> None: ...

class ConfigError(DynregError):
    """Something a person wrote is wrong: device_info.json, a certificate file, an argument."""

class StorageError(DynregError):
    """The flash would not take or give back what was stored."""

class NetworkError(DynregError):
    """The way to the cloud is down: DNS, connect, time-out, connection closed."""

class CertificateError(DynregError):
    """The other end could not be proved to be the cloud: nothing was sent, nothing is believed."""

class ProtocolError(DynregError):
    """The other end answered, but not what protocol.md says."""

class RegistrationError(DynregError):
    """The cloud refused to register; cloud_code and request_id say what it said."""

class LoginError(DynregError):
    """The broker refused the login (CONNACK 1 to 5) or a subscription (SUBACK 0x80)."""
