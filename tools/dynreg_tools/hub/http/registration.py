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
from ..database import StoreError
from ..limits import Limits
from ..store import Product, Store
from ..tls.device_ca import DeviceAuthority
from .credentials import Credential, check_request, new_credential
from .refusals import REFUSALS, Refused, error

OFF, PRE_CREATED, AUTO_CREATE = 0, 1, 2

_SECONDS = re.compile(r"[0-9]{1,10}")
_NONCE = re.compile(r"[1-9][0-9]{0,9}")
_NAMES, _OLD_NAMES = ("ProductId", "DeviceName"), ("productId", "deviceName")
_OLD_ERROR = -1


@dataclass(slots=True)
class Reply:
    """The JSON to send and the event to report."""

    body: dict
    event: str
    fields: dict = field(default_factory=dict)


def register(
    store: Store,
    headers: Mapping[str, str] | None,
    body: bytes,
    now: float,
    limits: Limits,
    authority: DeviceAuthority | None = None,
) -> Reply:
    """Answer one POST to /device/register, or without `headers` one to the older /register/dev.

    `headers` has lower-case names, `now` is Unix seconds, `limits` says how far a timestamp may be
    off and how strict the forms are, `authority` issues certificates where the product needs
    them. Changes the store: a good request creates the device or its new credential.
    """
    request_id = str(uuid4())
    known: dict = {}
    try:
        product, name, request = _check(store, headers, body, now, limits, known)
        brought = check_request(product, request, now)
        new = partial(new_credential, product, name, brought, authority)
        state, credential = _give(store, product, name, new)
    except Refused as refused:
        return refusal(*REFUSALS[str(refused)], request_id=request_id, **known)
    except StoreError as exc:  # as a cloud would: its own trouble is no matter of the device's
        reply = refusal(*REFUSALS["store"], request_id=request_id, **known)
        reply.fields["message"] = str(exc)
        return reply
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


def old_reply(body: dict) -> dict:
    """The same reply in the form of /register/dev (protocol section 3)."""
    response = body["Response"]
    if "Error" in response:
        return {"code": _OLD_ERROR, "message": response["Error"]["Message"]}
    return {"code": 0, "message": "", "len": response["Len"], "payload": response["Payload"]}


def _check(
    store: Store,
    headers: Mapping[str, str] | None,
    body: bytes,
    now: float,
    limits: Limits,
    known: dict,
) -> tuple[Product, str, dict]:
    """Product, device name and JSON of a good request; fills `known` with what may be reported."""
    request = _object(body)
    product_id, name = _names(request, _OLD_NAMES if headers is None else _NAMES)
    if rules.is_device_name(name):
        known["device_name"] = name
    product = store.product(product_id) if rules.is_product_id(product_id) else None
    if product is None:
        raise Refused("product")
    known["product_id"] = product_id
    if headers is None:
        signed = _signed_body(request, product_id, name)
    else:
        signed = _signed_headers(headers, body, strict=limits.strict)
    if _SECONDS.fullmatch(signed.timestamp) is None:
        raise Refused("timestamp")
    if _NONCE.fullmatch(signed.nonce) is None or int(signed.nonce) >= rules.NONCE_LIMIT:
        raise Refused("nonce")
    expected = signed.expected(product.secret)
    if not hmac.compare_digest(signed.signature.encode(errors="replace"), expected.encode()):
        raise Refused("signature")
    timestamp = int(signed.timestamp)
    clockless = rules.clockless_timestamps(strict=limits.strict)
    if timestamp not in clockless and abs(timestamp - now) > limits.time_window:
        raise Refused("expired")
    if not rules.is_device_name(name):
        raise Refused("device_name")
    return product, name, request


@dataclass(frozen=True, slots=True)
class _Signed:
    """What signs a request; `expected` gives the right signature by the product secret."""

    timestamp: str
    nonce: str
    signature: str
    expected: Callable[[str], str]


def _signed_headers(headers: Mapping[str, str], body: bytes, *, strict: bool) -> _Signed:
    algorithm = headers.get("x-tc-algorithm", "")
    if algorithm not in rules.signing_algorithms(strict=strict):
        raise Refused("algorithm")
    timestamp, nonce = headers.get("x-tc-timestamp", ""), headers.get("x-tc-nonce", "")

    def expected(secret: str) -> str:
        if "host" not in headers:
            raise Refused("host")
        host = rules.host_without_port(headers["host"])
        return rules.registration_signature(secret, host, algorithm, timestamp, nonce, body)

    return _Signed(timestamp, nonce, headers.get("x-tc-signature", ""), expected)


def _signed_body(request: dict, product_id: str, name: str) -> _Signed:
    if not rules.is_device_name(name):
        raise Refused("device_name")
    values = [request.get(key) for key in ("timestamp", "nonce", "signature")]
    timestamp, nonce, signature = (str(one) if type(one) in (int, str) else "" for one in values)

    def expected(secret: str) -> str:
        return rules.old_registration_signature(secret, product_id, name, timestamp, nonce)

    return _Signed(timestamp, nonce, signature, expected)


def _object(body: bytes) -> dict:
    try:
        request = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("body") from None
    if not isinstance(request, dict):
        raise Refused("body")
    return request


def _names(request: dict, keys: tuple[str, str]) -> tuple[str, str]:
    product_id, name = (request.get(key) for key in keys)
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
