"""The one exception tree. Whatever fails inside dynreg comes out as a DynregError."""

from micropython import const

_LATER = const(900)  # connect/backoff.py makes 15 to 60 minutes of it


class DynregError(Exception):
    """Base of every error that dynreg raises; `str(error)` is one sentence for a person.

    code: stable text for programs, such as "config" or "network.timeout" (docs/errors.md has all).
    retry: True where trying again soon, with nothing changed on the board, may succeed; a number
    where it may in so many seconds, no earlier (900: tried again every 15 to 60 minutes); False
    where only a person can mend it, on the board itself.
    cloud_code, cloud_message, request_id: the cloud's own words, where it spoke; else None.
    """

    retry = False
    cloud_code: str = None  # pyright: ignore
    cloud_message: str = None  # pyright: ignore
    request_id: str = None  # pyright: ignore

    def __init__(self, code, message, retry=None):
        super().__init__(message)
        self.code = code
        if retry is not None:
            self.retry = retry


class ConfigError(DynregError):
    """Something a person wrote is wrong: device_info.json, a certificate file, an argument."""


class StorageError(DynregError):
    """The flash would not take or give back what was stored."""


class NetworkError(DynregError):
    """The way to the cloud is down: DNS, connect, time-out, connection closed."""

    retry = True


class CertificateError(DynregError):
    """The other end could not be proved to be the cloud: nothing was sent, nothing is believed."""

    retry = _LATER


class ProtocolError(DynregError):
    """The other end answered, but not what protocol.md says."""

    retry = _LATER


class RegistrationError(DynregError):
    """The cloud refused to register; cloud_code and request_id say what it said."""

    retry = _LATER


class LoginError(DynregError):
    """The broker refused the login (CONNACK 1 to 5) or a subscription (SUBACK 0x80)."""

    retry = _LATER
