"""The authority that issues device certificates, and nothing but those.

It is kept in the data directory, apart from the server's: a board that trusts the hub's servers
has no reason to trust another board, and a server no reason to trust a certificate of its own.
Source: protocol section 3 (a certificate and its key come with the registration's reply).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import kept
from .certificates import fingerprint
from .kept import Key

DEVICE_CA_PEM, DEVICE_CA_KEY = "device_ca.pem", "device_ca_key.pem"
DEVICE_DAYS = 20 * 365 + 5
_CA_DAYS = 2 * DEVICE_DAYS  # outlives every device certificate of its first twenty years
_YESTERDAY = timedelta(days=1)
_MAX_NAME = 64  # of a common name (RFC 5280, appendix A.1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A device's certificate and unencrypted key in PEM, and the SHA-256 fingerprint in hex.

    The key is meant for the device alone; the hub keeps nothing but the fingerprint.
    """

    certificate: str
    key: str = field(repr=False)
    fingerprint: str


class DeviceAuthority:
    """Issues certificates with keys of the kind `device_key`; `pem` is its own certificate."""

    def __init__(self, certificate: x509.Certificate, key: Key, device_key: str) -> None:
        self.pem = certificate.public_bytes(Encoding.PEM).decode()
        self._certificate = certificate
        self._key = key
        self._device_key = device_key

    def issue(self, product_id: str, device_name: str) -> Issued:
        """A new certificate and key for a device, valid from yesterday for 20 years.

        The subject is O={product id}, CN={product id}{device name}, which is the client id; where
        that is too long for a common name, CN is the device name alone.
        """
        client_id = product_id + device_name
        key = _new_key(self._device_key)
        name = _name(product_id, client_id if len(client_id) <= _MAX_NAME else device_name)
        issuer_key = self._key.public_key()
        certificate = (
            _builder(name, self._certificate.subject, key, DEVICE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False)
            .sign(self._key, SHA256())
        )
        return Issued(
            certificate.public_bytes(Encoding.PEM).decode(),
            _pem(key),
            fingerprint(certificate.public_bytes(Encoding.DER)),
        )


def load_or_create_device_authority(directory: Path, device_key: str) -> DeviceAuthority:
    """The authority of a data directory, made when missing; HubError when it is no good.

    `device_key` is the kind of key for issued certificates and, when it is made now, for the
    authority itself.
    """
    pem, key = directory / DEVICE_CA_PEM, directory / DEVICE_CA_KEY
    pair = kept.load(pem, key)
    if pair is None:
        return _new_authority(pem, key, device_key)
    return DeviceAuthority(pair.certificate, pair.key, device_key)


def _new_authority(pem: Path, key: Path, device_key: str) -> DeviceAuthority:
    private = _new_key(device_key)
    name = _name("dynreg local hub", "dynreg local hub device CA")
    certificate = (
        _builder(name, name, private, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(private, SHA256())
    )
    authority = DeviceAuthority(certificate, private, device_key)
    kept.save(pem, key, authority.pem.encode(), _pem(private).encode())
    return authority


def _new_key(kind: str) -> Key:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: Key) -> str:
    """As clouds give it: BEGIN RSA PRIVATE KEY or BEGIN EC PRIVATE KEY."""
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def _name(organization: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, days: int
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - _YESTERDAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
