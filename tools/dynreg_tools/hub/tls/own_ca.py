"""Products with a CA of their own: the CA's file, and the certificate that a device brings along.

Source: protocol section 2 (own-CA products). Which of the two documented forms the cloud takes is
unknown, so both pass here, and no mixture of them.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from ..http.refusals import Refused
from ..rules import HubError
from .certificates import fingerprint

_ONE_CERTIFICATE = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*", re.ASCII
)


def load_own_ca(source: str | Path | bytes) -> str:
    """A CA's certificate as PEM text, from a file or its bytes; HubError when it is no good."""
    named = "the own CA" if isinstance(source, bytes) else f"the own CA {source}"
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as exc:
        raise HubError(f"cannot read {named}: {exc.strerror}") from exc
    certificate = _one_certificate(data.decode("ascii", "replace"))
    if certificate is None:
        raise HubError(f"{named} is not one certificate in PEM and nothing else")
    if not _may_issue(certificate):
        raise HubError(f"{named} is not the certificate of a CA")
    if not _is_current(certificate, datetime.now(UTC)):
        raise HubError(f"{named} has expired or is not valid yet")
    return certificate.public_bytes(Encoding.PEM).decode()


def brings_certificate(request: dict) -> bool:
    """Whether a registration's body has a certificate in either form."""
    return "ClientCert" in request or "clientCert" in request


def check_client_certificate(request: dict, own_ca: str, now: float) -> str:
    """The fingerprint of the certificate in a registration's body, or Refused.

    `own_ca` is the product's CA in PEM, `now` Unix seconds. The certificate must be issued by
    that CA directly; its subject may be anything, since the protocol says nothing about it.
    """
    if not brings_certificate(request):
        raise Refused("certificate_missing")
    encryption_type = request.get("EncryptionType")
    given = type(encryption_type) is int and encryption_type == 1  # JSON's true is no 1
    documented = "ClientCert" in request and "clientCert" not in request and given
    bare = "clientCert" in request and not {"ClientCert", "EncryptionType"} & set(request)
    if not documented and not bare:
        raise Refused("certificate_form")
    certificate = _one_certificate(request["ClientCert" if documented else "clientCert"])
    if certificate is None:
        raise Refused("certificate_pem")
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(own_ca.encode()))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise Refused("certificate_issuer") from None
    if not _is_current(certificate, datetime.fromtimestamp(now, UTC)):
        raise Refused("certificate_dates")
    return fingerprint(certificate.public_bytes(Encoding.DER))


def _one_certificate(text: object) -> x509.Certificate | None:
    """The certificate in a PEM text; None when it is not just one: a key may be beside it."""
    if not isinstance(text, str) or _ONE_CERTIFICATE.fullmatch(text) is None:
        return None
    try:
        return x509.load_pem_x509_certificate(text.strip().encode())
    except ValueError:
        return None


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return constraints.ca
    return constraints.ca and usage.key_cert_sign


def _is_current(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
