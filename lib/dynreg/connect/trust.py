"""Whom to trust: a CA file of the user's, or the built-in roots; and what a refusal of it says."""

import uos as os
from ubinascii import a2b_base64

from .. import port
from ..errors import CertificateError, ConfigError, NetworkError

try:
    import tls

    _BY_KEYWORD = False
except ImportError:  # MicroPython 1.22: SSLContext is in ssl, and its first argument a file name
    import ssl as tls

    _BY_KEYWORD = True


def context(path, items, pair=None):
    """A client's TLS context that trusts these certificates, takes no other, checks the name.

    path: a PEM (one or more certificates) or DER file, or None for these built-in ones, by name.
    pair: (certificate, key), PEM text, to show to the other end (mutual TLS). ConfigError where a
    file is missing or no certificate.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED  # pyright: ignore
    count = 0
    try:
        for der in certificates(path, items):
            count += 1
            # One at a time: several in one call are read as one by some builds.
            if _BY_KEYWORD:
                made.load_verify_locations(cadata=der)
            else:
                made.load_verify_locations(der)
    except ValueError:
        count = 0
    if path and not count:
        raise ConfigError("config", "%s: is no certificate: copy the CA's as PEM or DER" % path)
    if pair:
        try:
            made.load_cert_chain(*pair_of_der(pair))
        except (ValueError, OSError):
            raise ConfigError(
                "config", "the device's certificate and key are no pair that TLS can use"
            ) from None
    return made


def check(path):
    """ConfigError unless the file at path holds certificates."""
    context(path, ())


def certificates(path, items):
    """Each certificate of context() in DER, read only when its turn comes."""
    if path:
        yield from _file(path)
    else:
        for name in items:
            yield port.step("roots." + name, "certificate")


def _file(path):
    try:
        with open(path, "rb") as file:
            data = file.read(os.stat(path)[6])  # its size: a buffer that grows wants twice as much
    except OSError:
        raise ConfigError("config", "%s: cannot be read: copy the CA there" % path) from None
    if data[:1] == b"\x30":  # a DER sequence
        yield data
        return
    try:
        yield from blocks(data, b"CERTIFICATE")
    except ValueError:
        raise ConfigError("config", "%s: is cut off: copy it anew" % path) from None


def pair_of_der(pair):
    """[certificate, key] in DER, from the two in PEM; ValueError where one is not what it is."""
    kinds = (b"CERTIFICATE", b"PRIVATE KEY")
    found = [list(blocks(pem.encode(), kind))[:1] for pem, kind in zip(pair, kinds)]  # noqa: B905
    if not (found[0] and found[1]):
        raise ValueError
    return [found[0][0], found[1][0]]


def blocks(data, name):
    """The DER bytes of each PEM block in data whose label ends with name.

    name: b"CERTIFICATE" or b"PRIVATE KEY". ValueError where a block is cut off.
    """
    begin = data.find(b"-----BEGIN ")
    while begin >= 0:
        start = data.find(b"-----", begin + 11) + 5
        if start < begin + 16:  # not found
            raise ValueError
        end = data.find(b"-----END ", start)
        if data[begin : start - 5].endswith(name):
            der = a2b_base64(data[start:end]) if end > 0 else b""
            if not der:
                raise ValueError
            yield der
        begin = data.find(b"-----BEGIN ", start)


def untrusted(host, error):
    """The error for a handshake that failed so: CertificateError where host is not who it is."""
    # X509_CERT_VERIFY_FAILED, CA_CHAIN_REQUIRED, BAD_CERTIFICATE
    if not isinstance(error, ValueError) and error.args[:1] not in (
        (-0x2700,),
        (-0x7680,),
        (-0x7A00,),
    ):
        return NetworkError(
            "network.tls",
            "no secure connection to %s: %r: does it speak TLS 1.2 on that port?" % (host, error),
        )
    why = "%s is not trusted: %s" % (host, str(error).strip().replace("\n", ", "))
    if " CA" in why:
        why += ": the CA of a server of your own goes into gatewayCa or mqttCa"
    elif "Common Name" in why:
        why += ": write the name that the certificate is made for"
        if host[-1:].isdigit():
            why += "; before MicroPython 1.24 an address must be among its DNS names"
    if port.unix_time():
        return CertificateError("certificate.date" if "e validity " in why else "certificate", why)
    # A later try may find a time source, and then judge.
    return NetworkError("network.clock", why + " (but the clock is not set)")
