"""HMAC, and what is made with it: a registration's signature, the MQTT login."""

import hashlib
from binascii import a2b_base64, b2a_base64, hexlify

_SDK_APP_ID = "12010126"
# Good for ever: needs no clock, and a reconnect needs no new one (docs/protocol.md, 4).
_NEVER = "2147483647"


def hmac_sha256(key, message):
    """The 32 raw bytes of HMAC-SHA256 (RFC 2104); key and message are bytes."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


def registration(product_secret, host, body, timestamp, nonce):
    """X-TC-Signature, a str, for exactly these body bytes (docs/protocol.md, 2).

    host: no scheme, no port. timestamp: Unix seconds, or 0 without a clock.
    """
    text = "POST\n%s\n/device/register\n\nhmacsha256\n%d\n%d\n%s" % (
        host,
        timestamp,
        nonce,
        hexlify(hashlib.sha256(body).digest()).decode(),
    )
    digest = hmac_sha256(product_secret.encode(), text.encode())
    return b2a_base64(digest).decode().strip()


def login(client_id, psk, connid, expiry=_NEVER):
    """(user name, password) for CONNECT (docs/protocol.md, 4); psk is base64 text."""
    username = "%s;%s;%s;%s" % (client_id, _SDK_APP_ID, connid, expiry)
    digest = hmac_sha256(a2b_base64(psk), username.encode())
    return username, hexlify(digest).decode() + ";hmacsha256"
