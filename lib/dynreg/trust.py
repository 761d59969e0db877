"""Whom to trust: a CA file of the user's, or the built-in roots, one certificate at a time."""

from binascii import a2b_base64

from . import board, clock, port
from .errors import CertificateError, ConfigError

# docs/protocol.md, 5: the broker has a private root, the gateway a public chain.
MQTT = ("iothub",)
GATEWAY = ("digicert_g2", "digicert", "globalsign_r3", "globalsign")


def judged(info, day, call):
    """call()'s result, with a clock to judge certificates by.

    The first clock is found where none is set, and looked for again where a certificate's dates
    do not fit: NTP proves nothing, and may have told a wrong time. day: see first_clock.find().
    """
    if not clock.unix_time():
        _find(info, day, 0)
    try:
        return call()
    except CertificateError as error:
        if error.code != "certificate.date" or not _find(info, day, clock.unix_time()):
            raise
    return call()


def _find(*arguments):
    from . import first_clock

    found = first_clock.find(*arguments)
    del first_clock
    port.forget("first_clock")
    return found


class Trust:
    """Iterates over DER certificates, each read only when its turn comes.

    path: a PEM (one or more certificates) or DER file, or None for the built-in names.
    ConfigError where the file is missing or no certificate.
    """

    def __init__(self, path, builtin):
        self.path = path
        self._builtin = builtin

    def context(self, identity=None):
        """A TLS context that trusts these and nothing else.

        identity: (certificate, key), PEM text, to show to the other end (mutual TLS).
        """
        try:
            context = board.tls_context(self)
        except ValueError:
            raise _no_certificate(self.path) from None
        if identity:
            try:
                context.load_cert_chain(*pair(identity))
            except (ValueError, OSError):
                raise ConfigError(
                    "config", "the device's certificate and key are no pair that TLS can use"
                ) from None
        return context

    def __iter__(self):
        if self.path:
            yield from _file(self.path)
            return
        for name in self._builtin:
            der = a2b_base64(__import__("dynreg.roots." + name, None, None, ("BASE64",)).BASE64)
            port.forget("roots." + name)
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
    try:
        found = 0
        for der in blocks(data, b"CERTIFICATE"):
            found += 1
            yield der
    except ValueError:
        raise ConfigError("config", "%s: is cut off: copy it anew" % path) from None
    if not found:
        raise _no_certificate(path)


def pair(identity):
    """[certificate, key] in DER, from the two in PEM; ValueError where one is not what it is."""
    kinds = (b"CERTIFICATE", b"PRIVATE KEY")
    found = [list(blocks(pem.encode(), kind))[:1] for pem, kind in zip(identity, kinds)]  # noqa: B905
    if not (found[0] and found[1]):
        raise ValueError
    return [found[0][0], found[1][0]]


def blocks(data, kind):
    """The DER bytes of each PEM block in data whose label ends with kind.

    kind: b"CERTIFICATE" or b"PRIVATE KEY". ValueError where a block is cut off.
    """
    begin = data.find(b"-----BEGIN ")
    while begin >= 0:
        start = data.find(b"-----", begin + 11) + 5
        if start < begin + 16:  # not found
            raise ValueError
        end = data.find(b"-----END ", start)
        if data[begin : start - 5].endswith(kind):
            der = a2b_base64(data[start:end]) if end > 0 else b""
            if not der:
                raise ValueError
            yield der
        begin = data.find(b"-----BEGIN ", start)
