"""Whom to trust: a CA file of the user's, or the built-in roots, one certificate at a time."""

from binascii import a2b_base64

from . import port
from .errors import ConfigError

# docs/protocol.md, 5: the broker has a private root, the gateway a public chain.
MQTT = ("iothub",)
GATEWAY = ("digicert_g2", "digicert", "globalsign_r3", "globalsign")


class Trust:
    """Iterates over DER certificates, each read only when its turn comes.

    path: a PEM (one or more certificates) or DER file, or None for the built-in names.
    ConfigError where the file is missing or no certificate.
    """

    def __init__(self, path, builtin):
        self.path = path
        self._builtin = builtin

    def context(self):
        """A TLS context that trusts these and nothing else."""
        try:
            return port.tls_context(self)
        except ValueError:
            raise _no_certificate(self.path) from None

    def __iter__(self):
        if self.path:
            yield from _file(self.path)
            return
        for name in self._builtin:
            module = "dynreg.roots." + name
            der = a2b_base64(__import__(module, None, None, ("BASE64",)).BASE64)
            port.forget(module)
            yield der


def _no_certificate(path):
    return ConfigError("config", "%s: is no certificate: copy the CA's as PEM or DER" % path)


def _file(path):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        raise ConfigError("config", "%s: cannot be read: copy the CA there" % path) from None
    if data[:1] == b"\x30":  # a DER sequence
        yield data
        return
    begin = data.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        raise _no_certificate(path)
    while begin >= 0:
        end = data.find(b"-----END CERTIFICATE-----", begin)
        try:
            yield a2b_base64(data[begin + 27 : end if end > 0 else 0])
        except ValueError:
            raise ConfigError("config", "%s: is cut off: copy it anew" % path) from None
        begin = data.find(b"-----BEGIN CERTIFICATE-----", end)
