"""Faults of TLS: another certificate, another version, other bytes than a handshake.

An `act` with the hook "tls" makes the context that is shown, out of a Shown; those with the hook
"tcp" answer a ClientHello below TLS; those with "psk" give the key for an identity.
"""

import secrets
import ssl
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ..tls import certificates
from ..tls.context import ServerContext, server_context
from .kinds import BROKER, SERVICES, Argument, Kind, natural, one_of
from .tcp import CLOSE, Plan

_DAY = timedelta(days=1)
_KEY = "ec"
_ALERT, _TLS12, _FATAL = 21, b"\x03\x03", 2
_PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"  # as nginx does
)
_VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a port shows when all is well: its authority, its names, who may come in and how."""

    authority: trustme.CA
    names: Sequence[str]
    client_authorities: Sequence[str] = ()
    key_of: Callable[[str], bytes | None] | None = None

    def context(self, certificate: trustme.LeafCert) -> ServerContext:
        """A context with another certificate and all else as it is."""
        return server_context(certificate, self.client_authorities, self.key_of)

    def good(self) -> trustme.LeafCert:
        """The certificate that belongs here."""
        return certificates.server_certificate(self.authority, self.names, _KEY)


def _unknown_ca(shown: Shown, _: object) -> ServerContext:
    unknown_ca = certificates.new_authority(_KEY)
    return shown.context(certificates.server_certificate(unknown_ca, shown.names, _KEY))


def _dated(first: int, last: int) -> Callable[[Shown, object], ServerContext]:
    """A certificate of the right authority, valid between these days from now."""

    def act(shown: Shown, _: object) -> ServerContext:
        now = datetime.now(UTC)
        return shown.context(
            shown.authority.issue_cert(
                *shown.names, not_before=now + first * _DAY, not_after=now + last * _DAY
            )
        )

    return act


def _wrong_name(shown: Shown, _: object) -> ServerContext:
    return shown.context(shown.authority.issue_cert("another-host.test"))


def _self_signed(shown: Shown, _: object) -> ServerContext:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown.names[0])])
    names = [x509.DNSName(name) for name in shown.names if not name[0].isdigit()]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return shown.context(trustme.LeafCert(pem, certificate.public_bytes(Encoding.PEM), []))


def _version(shown: Shown, version: str) -> ServerContext:
    context = server_context(shown.good())
    if version == "1.1":
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # of old versions, which is the point here
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = _VERSIONS[version]
    if version == "1.3":
        context.minimum_version = _VERSIONS[version]
    return context


def _client_certificate(shown: Shown, _: object) -> ServerContext:
    context = server_context(
        shown.good(), [certificates.new_authority(_KEY).cert_pem.bytes().decode()]
    )
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _without_psk(shown: Shown, _: object) -> ServerContext:
    return server_context(shown.good(), shown.client_authorities)


def _alert(number: int) -> Plan:
    record = bytes((_ALERT,)) + _TLS12 + b"\0\2" + bytes((_FATAL, number & 255))
    return Plan(instead=record, end=CLOSE)


KINDS = (
    Kind(
        "tls-unknown-ca",
        "a certificate of a CA that nobody knows",
        "tls",
        _unknown_ca,
        services=SERVICES,
    ),
    Kind(
        "tls-expired", "a certificate that has expired", "tls", _dated(-9, -2), services=SERVICES
    ),
    Kind(
        "tls-not-yet",
        "a certificate that is not valid yet",
        "tls",
        _dated(2, 9),
        services=SERVICES,
    ),
    Kind("tls-wrong-name", "a certificate of another host", "tls", _wrong_name, services=SERVICES),
    Kind(
        "tls-self-signed", "a certificate signed by itself", "tls", _self_signed, services=SERVICES
    ),
    Kind(
        "tls-version",
        "no version of TLS but this one",
        "tls",
        _version,
        Argument("1.1 or 1.3", "1.1", one_of(*_VERSIONS)),
        services=SERVICES,
    ),
    Kind(
        "tls-client-certificate",
        "a client certificate is demanded of everybody",
        "tls",
        _client_certificate,
        services=SERVICES,
    ),
    Kind(
        "tls-alert",
        "a fatal alert for an answer to the ClientHello",
        "tcp",
        _alert,
        Argument("number of the alert, RFC 8446 section 6", 40, natural),
        on="tls",
        services=SERVICES,
    ),
    Kind(
        "tls-plain",
        "plain HTTP text on the TLS port",
        "tcp",
        lambda _: Plan(instead=_PLAIN, end=CLOSE),
        on="tls",
        services=SERVICES,
    ),
    Kind(
        "tls-garbage",
        "random bytes for an answer to the ClientHello",
        "tcp",
        lambda size: Plan(instead=secrets.token_bytes(size), end=CLOSE),
        Argument("how many bytes", 200, natural),
        on="tls",
        services=SERVICES,
    ),
    Kind("psk-off", "no TLS-PSK, certificates only", "tls", _without_psk, on=BROKER),
    Kind("psk-refused", "every PSK identity is unknown", "psk", lambda _key: None),
    Kind(
        "psk-wrong-key",
        "another key than the device's",
        "psk",
        lambda _key: secrets.token_bytes(16),
    ),
    Kind(
        "psk-password-refused",
        "a PSK login that carries a password is refused",
        "psk login",
        on="password",
    ),
    Kind(
        "psk-password-wanted",
        "a PSK login without a password is refused",
        "psk login",
        on="no password",
    ),
)
