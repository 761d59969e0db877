"""Certificates for the hub's tests, made at run time: an own CA, foreign and damaged ones."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def new_key(kind="ec"):
    """A private key, "ec" (P-256) or "rsa" (2048)."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key):
    """PKCS#8, which is not the form that the hub itself gives out."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Authority:
    """A CA; `above` is the one that issued it, if another did."""

    def __init__(self, name="Own CA", *, ca=True, days=(-1, 30), above=None, usage=None):
        self.name, self.key = name, new_key()
        self.pem = (above or self)._certificate(name, self.key, ca=ca, days=days, usage=usage)

    def issue(self, name="device", *, kind="ec", days=(-1, 30)):
        """(certificate, key), both PEM; valid between these days from now."""
        key = new_key(kind)
        return self._certificate(name, key, ca=False, days=days), key_pem(key)

    def _certificate(self, name, key, *, ca, days, usage=None):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if usage is not None:
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def client_context(hub, pair=None, version=None):
    """A context that trusts the hub and shows (certificate, key); just one TLS version."""
    context = ssl.create_default_context(cafile=str(hub.ca_pem))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if pair is not None:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", suffix=".pem"
        ) as file:  # ssl takes files only
            file.write(pair[0] + pair[1])
            file.flush()
            context.load_cert_chain(file.name)
    return context


def fingerprint(certificate):
    """SHA-256 in hex of a PEM certificate."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(SHA256()).hex()
