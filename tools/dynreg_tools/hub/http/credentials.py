"""What a good registration gives to a device: a key, a certificate, or its own one confirmed.

Source: protocol section 3 (the three plaintexts), section 2 (the certificate of an own CA).
"""

import base64
import secrets
from dataclasses import dataclass, field

from .. import rules
from ..rules import HubError
from ..store import Product
from ..tls.device_ca import DeviceAuthority
from ..tls.own_ca import brings_certificate, check_client_certificate
from .refusals import Refused

KEY_TYPE, CERTIFICATE_TYPE = 2, 1  # encryptionType, and the request's EncryptionType
PSK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Credential:
    """`plaintext` is for the device alone, the other two are what the hub keeps of it."""

    plaintext: dict = field(repr=False)
    psk: str | None = field(default=None, repr=False)
    fingerprint: str | None = None


def check_request(product: Product, request: dict, now: float) -> str | None:
    """The fingerprint of the certificate that the device brings, None when it need not; Refused.

    `request` is the body's JSON object, `now` Unix seconds.
    """
    if product.own_ca is not None:
        return check_client_certificate(request, product.own_ca, now)
    if brings_certificate(request):
        raise Refused("certificate_unwanted")
    return None


def new_credential(
    product: Product, device_name: str, brought: str | None, authority: DeviceAuthority | None
) -> Credential:
    """A fresh credential; `brought` is what check_request() gave.

    Making an RSA key takes some 40 ms, in which the hub does nothing else.
    """
    if product.auth_mode == rules.KEY:
        psk = base64.b64encode(secrets.token_bytes(PSK_BYTES)).decode()
        return Credential({"encryptionType": KEY_TYPE, "psk": psk}, psk=psk)
    if brought is not None:
        return Credential({"encryptionType": CERTIFICATE_TYPE}, fingerprint=brought)
    if authority is None:
        raise HubError("a product in auth mode cert needs an authority")
    issued = authority.issue(product.id, device_name)
    plaintext = {
        "encryptionType": CERTIFICATE_TYPE,
        "clientCert": issued.certificate,
        "clientKey": issued.key,
    }
    return Credential(plaintext, fingerprint=issued.fingerprint)
