"""Dynamic registration: from the headers and body of a request to the reply (protocol 2 and 3).

Every refusal is one row of REFUSALS (refusals.py); what a device is given is credentials.py's.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from .. import rules
from ..store import Product, Store
from ..tls.device_ca import DeviceAuthority
from .credentials import Credential, check_request, new_credential
from .refusals import REFUSALS, Refused, error

OFF, PRE_CREATED, AUTO_CREATE = 0, 1, 2

_SECONDS = re.compile(r"[0-9]{1,10}")
_NONCE = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(slots=True)
class Reply:
    """The JSON to send and the event to report."""

    body: dict
    event: str
    fields: dict = field(default_factory=dict)


def register(
    store: Store,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    window: float,
    authority: DeviceAuthority | None = None,
) -> Reply:
    """Answer one POST to /device/register.

    `headers` has lower-case names, `now` is Unix seconds, `window` the seconds a timestamp other
    than 0 may be off, `authority` issues certificates where the product needs them. Changes the
    store: a good request creates the device or its new credential.
    """
    request_id = str(uuid4())
    known: dict = {}
    try:
        product, name, request = _check(store, headers, body, now, window, known)
        brought = check_request(product, request, now)
        new = partial(new_credential, product, name, brought, authority)
        state, credential = _give(store, product, name, new)
    except Refused as refused:
        return refusal(*REFUSALS[str(refused)], request_id=request_id, **known)
    plaintext = json.dumps(credential.plaintext, separators=(",", ":")).encode()
    response = {
        "Len": len(plaintext),
        "Payload": rules.encrypt_payload(product.secret, plaintext),
        "RequestId": request_id,
        "State": state,
    }
    fields = {**known, "state": state, "request_id": request_id}
    return Reply({"Response": response}, "registered", fields)


def refusal(code: str, message: str, request_id: str = "", **known: str) -> Reply:
    """The reply that says no; `known` is what more may be reported."""
    request_id = request_id or str(uuid4())
    fields = {"code": code, "message": message, **known, "request_id": request_id}
    return Reply(error(code, message, request_id), "refused", fields)


def _check(
    store: Store,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    window: float,
    known: dict,
) -> tuple[Product, str, dict]:
    """Product, device name and JSON of a good request; fills `known` with what may be reported."""
    request = _object(body)
    product_id, name = _names(request)
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
    return product, name, request


def _object(body: bytes) -> dict:
    try:
        request = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("body") from None
    if not isinstance(request, dict):
        raise Refused("body")
    return request


def _names(request: dict) -> tuple[str, str]:
    product_id, name = request.get("ProductId"), request.get("DeviceName")
    if not isinstance(product_id, str) or not isinstance(name, str):
        raise Refused("fields")
    return product_id, name


def _give(
    store: Store, product: Product, name: str, new: Callable[[], Credential]
) -> tuple[int, Credential]:
    """State (0 created now, 1 existed) and the new credential (protocol section 3)."""
    if product.register_type == OFF:
        raise Refused("off")
    device = store.device(product.id, name)
    if device is None:
        if product.register_type == PRE_CREATED:
            raise Refused("not_created")
        if store.automatic_count(product.id) >= product.register_limit:
            raise Refused("limit")
        credential = new()
        store.add_device(product.id, name, credential.psk, credential.fingerprint, automatic=True)
        return 0, credential
    if device.disabled:
        raise Refused("disabled")
    if device.activated:
        raise Refused("activated")
    credential = new()
    store.set_credential(product.id, name, credential.psk, credential.fingerprint)
    return 1, credential
