"""The authority of the hub's servers and their certificates; devices have another, device_ca.py.

The authority is kept in the data directory, so that a board's copy stays good over restarts; a
server certificate is made afresh at each start. That one is valid from yesterday on and for a
year, so that a board with an unset or a wild clock meets here what it meets in the cloud.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from ... import files
from ..rules import HubError
from . import kept

CA_PEM, CA_DER, CA_KEY = "ca.pem", "ca.der", "ca_key.pem"
KEY_TYPES = {"rsa": trustme.KeyType.RSA, "ec": trustme.KeyType.ECDSA}
_ORGANIZATION = "dynreg local hub"
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


def load_or_create_authority(directory: Path, key_type: str) -> trustme.CA:
    """The authority of a data directory, made when missing (`key_type`: "rsa" 2048, "ec" P-256).

    Writes ca.der beside it. Raises HubError when the kept files cannot be used; an
    authority that exists keeps its own kind of key.
    """
    pem, key = directory / CA_PEM, directory / CA_KEY
    if pair := kept.load(pem, key):
        authority = trustme.CA.from_pem(pair.pem, pair.key_pem)
    else:
        authority = new_authority(key_type)
        kept.save(pem, key, authority.cert_pem.bytes(), authority.private_key_pem.bytes())
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    files.write(directory / CA_DER, certificate.public_bytes(Encoding.DER), files.PRIVATE)
    return authority


def new_authority(key_type: str) -> trustme.CA:
    """An authority that nobody trusts yet."""
    return trustme.CA(organization_name=_ORGANIZATION, key_type=KEY_TYPES[key_type])


def is_identity(text: str) -> bool:
    """Whether a server's certificate may be for this host name or address.

    A name may begin with `*.`; one that is not ASCII is taken as IDNA.
    """
    if "%" in text:  # the zone of an address is nothing to a certificate
        return False
    try:
        names = _general_names(text)
    except UnicodeError:
        return False
    return any(isinstance(name, x509.IPAddress) or _NAME.fullmatch(name.value) for name in names)


def _general_names(identity: str) -> list[x509.DNSName | x509.IPAddress]:
    """Addresses stand among the names too: mbedTLS before 3.5 looks nowhere else for them.

    (It is in MicroPython before 1.24 and in the vendor's C SDK.)
    """
    try:
        address = ip_address(identity)
    except ValueError:
        return [x509.DNSName(identity.encode("idna").decode())]
    return [x509.IPAddress(address), x509.DNSName(str(address))]


def server_certificate(
    authority: trustme.CA, identities: Iterable[str], key_type: str
) -> trustme.LeafCert:
    """A server's certificate and key for these host names and addresses (is_identity())."""
    now = datetime.now(UTC)
    leaf = authority.issue_cert(
        "localhost",
        organization_name=_ORGANIZATION,
        key_type=KEY_TYPES[key_type],
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=365),
    )
    made = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    names = [name for identity in dict.fromkeys(identities) for name in _general_names(identity)]
    extensions: list[x509.Extension] = [
        x509.Extension(one.oid, one.critical, x509.SubjectAlternativeName(names))
        if isinstance(one.value, x509.SubjectAlternativeName)
        else one
        for one in made.extensions
    ]
    signed = x509.CertificateBuilder(
        made.issuer,
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION)]),
        made.public_key(),
        made.serial_number,
        made.not_valid_before_utc,
        made.not_valid_after_utc,
        extensions,
    ).sign(_signing_key(authority), SHA256())
    chain = [part.bytes() for part in leaf.cert_chain_pems[1:]]
    return trustme.LeafCert(leaf.private_key_pem.bytes(), signed.public_bytes(Encoding.PEM), chain)


def _signing_key(authority: trustme.CA) -> RSAPrivateKey | EllipticCurvePrivateKey:
    key = load_pem_private_key(authority.private_key_pem.bytes(), None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise HubError("the authority's key cannot sign")
    return key


def fingerprint(der: bytes) -> str:
    """The SHA-256 of a certificate in DER, in hex."""
    return hashlib.sha256(der).hexdigest()
