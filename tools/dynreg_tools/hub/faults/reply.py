"""Faults of the registration's reply: what the JSON says (protocol section 3).

An `act` with the hook "reply" gets (the good Response, the product secret) and gives the body to
send, as an object or as bytes; one with the hook "refuse" gives (code, message) for an error.
"""

import json
import secrets
import string
from base64 import b64encode
from collections.abc import Callable
from functools import partial

from .. import rules
from ..http.refusals import REFUSALS
from .kinds import Argument, Kind, one_of

_NEST = 2000
# Beside the hub's own refusals: codes that no page of the cloud's lists.
_OTHERS = {
    "throttled": ("RequestLimitExceeded", "too many requests, try again later"),
    "internal": ("InternalError", "internal error"),
    "unavailable": ("ServiceUnavailable", "service temporarily unavailable"),
    "unknown": ("FailedOperation.SomethingNew", "a text that nobody has seen yet"),
    "empty": ("", ""),
}
ROWS = {**REFUSALS, **_OTHERS}


def _sealed(plaintext: bytes, secret: str, **changes: object) -> dict:
    """A Response with this plaintext."""
    response = {
        "Len": len(plaintext),
        "Payload": rules.encrypt_payload(secret, plaintext),
        "RequestId": "made by a fault",
        "State": 0,
    }
    return {"Response": {**response, **changes}}


def _plaintext(change: Callable[[], object]) -> Callable[[dict, str], object]:
    """A well-formed reply with other content; bytes are taken as they are."""

    def act(_response: dict, secret: str) -> object:
        content = change()
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        return _sealed(content, secret)

    return act


def _changed(**changes: object) -> Callable[[dict, str], object]:
    """The good reply with some fields changed; None takes one away."""

    def act(response: dict, _secret: str) -> object:
        both = {**response, **changes}
        return {"Response": {key: value for key, value in both.items() if value is not None}}

    return act


def _other_key(_response: dict, _secret: str) -> object:
    letters = string.ascii_letters + string.digits
    other = "".join(secrets.choice(letters) for _ in range(rules.MIN_SECRET))
    return _sealed(json.dumps(_key(_psk())).encode(), other)


def _off_by(count: int) -> Callable[[dict, str], object]:
    return lambda response, _: {"Response": {**response, "Len": response["Len"] + count}}


def _padding(_response: dict, secret: str) -> object:
    plaintext = json.dumps(_key(_psk())).encode()
    return _sealed(plaintext + b"\1" * (-len(plaintext) % 16 or 16), secret, Len=len(plaintext))


def _psk() -> str:
    return b64encode(secrets.token_bytes(16)).decode()


def _key(psk: object) -> dict:
    return {"encryptionType": 2, "psk": psk}


_row = partial(Kind, hook="reply")

KINDS = (
    Kind(
        "reply-refused",
        "an error instead of a registration; nothing is registered",
        "refuse",
        ROWS.__getitem__,
        Argument("one of " + ", ".join(ROWS), "unknown", one_of(*ROWS)),
    ),
    _row("reply-empty", "an empty body", act=lambda *_: b""),
    _row("reply-text", "plain text, not JSON", act=lambda *_: b"It works!"),
    _row(
        "reply-half",
        "half of the JSON",
        act=lambda r, _: json.dumps({"Response": r})[:40].encode(),
    ),
    _row("reply-list", "a JSON list", act=lambda *_: []),
    _row("reply-null", "Response is null", act=lambda *_: {"Response": None}),
    _row("reply-other", "JSON without a Response", act=lambda *_: {"status": "ok"}),
    _row("reply-deep", "JSON nested 2000 deep", act=lambda *_: b"[" * _NEST + b"]" * _NEST),
    _row("reply-not-utf8", "bytes that are no UTF-8", act=lambda *_: b'{"Response":"\xff\xfe"}'),
    _row("reply-no-payload", "no Payload", act=_changed(Payload=None)),
    _row("reply-no-len", "no Len", act=_changed(Len=None)),
    _row("reply-payload-number", "Payload is a number", act=_changed(Payload=7)),
    _row("reply-payload-text", "Payload is no base64", act=_changed(Payload="?" * 64)),
    _row("reply-payload-short", "Payload is no whole AES block", act=_changed(Payload="AAAA")),
    _row("reply-len-more", "Len one too large", act=_off_by(1)),
    _row("reply-len-less", "Len one too small", act=_off_by(-1)),
    _row("reply-len-negative", "Len below zero", act=_changed(Len=-1)),
    _row("reply-padding", "padding that is not zeros", act=_padding),
    _row("reply-other-key", "encrypted with another product's secret", act=_other_key),
    _row(
        "reply-no-psk", "decrypts, but holds no psk", act=_plaintext(lambda: {"encryptionType": 2})
    ),
    _row("reply-psk-empty", "psk is empty", act=_plaintext(lambda: _key(""))),
    _row("reply-psk-number", "psk is a number", act=_plaintext(lambda: _key(7))),
    _row("reply-psk-text", "psk is no base64", act=_plaintext(lambda: _key("not base64!"))),
    _row(
        "reply-other-mode",
        "a certificate device's reply",
        act=_plaintext(lambda: {"encryptionType": 1}),
    ),
    _row("reply-plain-text", "decrypts to text that is no JSON", act=_plaintext(lambda: b"hello")),
    _row("reply-no-state", "State is left out, as it may be", act=_changed(State=None)),
)
