"""An authority as it is kept in the data directory: its certificate and its key, both or neither.

Half of a pair, or two files that do not belong together, is no reason for a new authority: that
would lock out every board that has the old one.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ... import files
from ..rules import HubError

Key = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files, read; `pem` and `key_pem` are their bytes."""

    certificate: x509.Certificate
    key: Key = field(repr=False)
    pem: bytes
    key_pem: bytes = field(repr=False)


def load(pem: Path, key: Path) -> Pair | None:
    """The authority in these files, None where there is neither; HubError when it is no good."""
    staged = _staged(key)
    if _there(pem) and not _there(key) and _there(staged):  # save() was cut off
        os.replace(staged, key)
    if not _there(pem) and not _there(key):
        return None
    for missing, other in ((pem, key), (key, pem)):
        if not _there(missing):
            raise HubError(
                f"{missing} is missing beside {other.name}: put it back, or remove {other.name} "
                "for a new CA, which every board must then be given"
            )
    pem_bytes, key_bytes = _read(pem), _read(key)
    try:
        certificate = x509.load_pem_x509_certificate(pem_bytes)
    except ValueError:
        raise HubError(f"{pem} is not a certificate in PEM{_REMEDY}") from None
    try:
        private = load_pem_private_key(key_bytes, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        raise HubError(f"{key} is not an unencrypted key in PEM{_REMEDY}") from None
    if not isinstance(private, Key):
        raise HubError(f"{key} is neither an RSA nor an EC key{_REMEDY}")
    if private.public_key() != certificate.public_key():
        raise HubError(f"{pem} and {key.name} do not belong together{_REMEDY}")
    return Pair(certificate, private, pem_bytes, key_bytes)


_REMEDY = ": put the CA's two files back as they were, or remove both for a new CA"


def save(pem: Path, key: Path, certificate: bytes, private: bytes) -> None:
    """Write both, so that a kill at any moment leaves what load() takes for both or neither."""
    staged = _staged(key)
    files.write(staged, private, files.PRIVATE)
    files.write(pem, certificate, files.PRIVATE)
    os.replace(staged, key)


def _staged(key: Path) -> Path:
    return key.with_name(key.name + ".new")


def _there(path: Path) -> bool:
    return os.path.lexists(path)  # a link that leads nowhere is there, and cannot be read


def _read(path: Path) -> bytes:
    try:
        files.narrow(path)
        return path.read_bytes()
    except OSError as exc:
        raise HubError(f"cannot read {path}: {exc.strerror}") from exc
