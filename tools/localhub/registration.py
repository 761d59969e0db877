"""Dynamic registration: from the headers and body of a request to the reply (protocol 2 and 3).

Every refusal is one row of REFUSALS. The messages in protocol section 3 are kept word for word;
no public table of codes exists, so the codes are this hub's own, in the cloud's dotted form.
"""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from . import rules
from .store import Product, Store

REFUSALS = {
    "body": ("InvalidParameter.Body", "request body is not a JSON object"),
    "fields": ("InvalidParameter.Field", "ProductId and DeviceName must be given as text"),
    "algorithm": ("InvalidParameter.Algorithm", "X-TC-Algorithm must be hmacsha256"),
    "timestamp": ("InvalidParameter.Timestamp", "X-TC-Timestamp must be Unix seconds or 0"),
    "nonce": ("InvalidParameter.Nonce", "X-TC-Nonce must be positive and below 2147483648"),
    "host": ("InvalidParameter.Host", "Host header is missing"),
    "device_name": (
        "InvalidParameter.DeviceName",
        "DeviceName must be 1 to 48 of letters, digits, colon, underscore and hyphen",
    ),
    "expired": (
        "AuthFailure.SignatureExpire",
        "signature expired: X-TC-Timestamp is outside the allowed window",
    ),
    "signature": ("AuthFailure.SignatureFailure", "signature check failed"),
    "product": ("ResourceNotFound.ProductNotExist", "product not exists"),
    "off": (
        "UnauthorizedOperation.RegisterOff",
        "Not support dynamic device register, please check setting first",
    ),
    "not_created": (
        "ResourceNotFound.DeviceNotExist",
        "Pre create mode: device not exists",
    ),
    "limit": ("LimitExceeded.RegisterLimit", "number of auto created devices exceeds the limit"),
    "activated": ("UnauthorizedOperation.DeviceActivated", "device has been activated"),
}
OFF, PRE_CREATED, AUTO_CREATE = 0, 1, 2
PSK_BYTES = 16

_SECONDS = re.compile(r"[0-9]{1,10}")
_NONCE = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(slots=True)
class Reply:
    """The JSON to send and the event to report."""

    body: dict
    event: str
    fields: dict = field(default_factory=dict)


class Refused(Exception):
    """A request that is answered with a row of REFUSALS."""


def register(
    store: Store, headers: Mapping[str, str], body: bytes, now: float, window: float
) -> Reply:
    """Answer one POST to /device/register.

    `headers` has lower-case names, `now` is Unix seconds, `window` the seconds a timestamp other
    than 0 may be off. Changes the store: a good request creates the device or its new secret.
    """
    request_id = str(uuid4())
    known: dict = {}
    try:
        product, name = _check(store, headers, body, now, window, known)
        state, psk = _give_secret(store, product, name)
    except Refused as refused:
        code, message = REFUSALS[str(refused)]
        fields = {"code": code, "message": message, **known, "request_id": request_id}
        return Reply(error(code, message, request_id), "refused", fields)
    plaintext = json.dumps({"encryptionType": 2, "psk": psk}, separators=(",", ":")).encode()
    response = {
        "Len": len(plaintext),
        "Payload": rules.encrypt_payload(product.secret, plaintext),
        "RequestId": request_id,
        "State": state,
    }
    fields = {**known, "state": state, "request_id": request_id}
    return Reply({"Response": response}, "registered", fields)


def error(code: str, message: str, request_id: str) -> dict:
    """An error reply as in protocol section 3."""
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": request_id}}


def _check(
    store: Store,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    window: float,
    known: dict,
) -> tuple[Product, str]:
    """The product and device name of a good request; fills `known` with what may be reported."""
    product_id, name = _names(body)
    if rules.is_device_name(name):
        known["device_name"] = name
    product = store.product(product_id)
    if product is None:
        raise Refused("product")
    known["product_id"] = product_id
    algorithm = headers.get("x-tc-algorithm", "")
    if algorithm != rules.ALGORITHM:
        raise Refused("algorithm")
    timestamp, nonce = headers.get("x-tc-timestamp", ""), headers.get("x-tc-nonce", "")
    if _SECONDS.fullmatch(timestamp) is None:
        raise Refused("timestamp")
    if _NONCE.fullmatch(nonce) is None or int(nonce) >= rules.NONCE_LIMIT:
        raise Refused("nonce")
    if "host" not in headers:
        raise Refused("host")
    host = rules.host_without_port(headers["host"])
    expected = rules.registration_signature(
        product.secret, host, algorithm, timestamp, nonce, body
    )
    signature = headers.get("x-tc-signature", "")
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise Refused("signature")
    if int(timestamp) and abs(int(timestamp) - now) > window:
        raise Refused("expired")
    if not rules.is_device_name(name):
        raise Refused("device_name")
    return product, name


def _names(body: bytes) -> tuple[str, str]:
    try:
        request = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("body") from None
    if not isinstance(request, dict):
        raise Refused("body")
    product_id, name = request.get("ProductId"), request.get("DeviceName")
    if not isinstance(product_id, str) or not isinstance(name, str):
        raise Refused("fields")
    return product_id, name


def _give_secret(store: Store, product: Product, name: str) -> tuple[int, str]:
    """State (0 created now, 1 existed) and the new secret in base64 (protocol section 3)."""
    if product.register_type == OFF:
        raise Refused("off")
    device = store.device(product.id, name)
    psk = base64.b64encode(secrets.token_bytes(PSK_BYTES)).decode()
    if device is None:
        if product.register_type == PRE_CREATED:
            raise Refused("not_created")
        if store.automatic_count(product.id) >= product.register_limit:
            raise Refused("limit")
        store.add_device(product.id, name, psk, automatic=True)
        return 0, psk
    if device.activated:
        raise Refused("activated")
    store.set_psk(product.id, name, psk)
    return 1, psk
