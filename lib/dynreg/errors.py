"""The one exception tree. Whatever fails inside dynreg comes out as a DynregError."""


class DynregError(Exception):
    """Base of every error that dynreg raises; `str(error)` is one sentence for a person.

    code: stable text for programs, such as "config" or "network.timeout" (docs/errors.md has all).
    retry: True where trying again later, with nothing changed, may succeed.
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
    """The other end could not be proved to be the cloud. Never a network fault, never retried."""


class ProtocolError(DynregError):
    """The other end answered, but not what protocol.md says."""


class RegistrationError(DynregError):
    """The cloud refused to register; cloud_code and request_id say what it said."""


class LoginError(DynregError):
    """The broker refused the login (CONNACK 1 to 5) or a subscription (SUBACK 0x80)."""
