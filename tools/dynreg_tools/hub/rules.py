"""The cloud's rules as pure functions: names, signatures, login passwords, topic rights.

Nothing here does I/O or reads a clock. Source: docs/protocol.md, the section named in each
docstring.
"""

import base64
import hashlib
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import ToolError
from .choices import AUTH_MODES as AUTH_MODES
from .choices import CERTIFICATE as CERTIFICATE
from .choices import KEY as KEY

ALGORITHM, OLD_ALGORITHM = "hmacsha256", "hmacsha1"
REGISTER_PATH, OLD_REGISTER_PATH = "/device/register", "/register/dev"
OWN_APP_ID = "12010126"  # what this project's library sends
SDK_TIMESTAMP = 1609430400  # the constant of the vendor's C SDK
NONCE_LIMIT = 2**31
MAX_PAYLOAD = 16 * 1024
MAX_TOPIC, MAX_SLASHES = 255, 10
MAX_KEEPALIVE = 900
MAX_STORED, STORED_SECONDS = 150, 24 * 3600  # messages of a persistent session
MIN_SECRET, MAX_SECRET = 16, 32

_PRODUCT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
MAX_DEVICE_NAME = 48
_DEVICE_NAME = re.compile(rf"[A-Za-z0-9:_-]{{1,{MAX_DEVICE_NAME}}}")
_SECRET = re.compile(r"[!-~]+")
_APP_ID = re.compile(r"[0-9]{1,19}")
_CONNECTION_ID = re.compile(r"[A-Za-z0-9]{5}")
_SECONDS = re.compile(r"[0-9]{1,19}")
_DIGESTS = {ALGORITHM: "sha256", OLD_ALGORITHM: "sha1"}
_BLOCK = 16

_OPERATIONS = ("sys", "shadow", "template", "config", "log", "gateway")
_THING = ("property", "event", "action", "service", "raw")
_UP = (
    "{own}/event",
    "{own}/data",
    *(f"${name}/operation/{{own}}" for name in _OPERATIONS),
    *(f"$thing/up/{kind}/{{own}}" for kind in _THING),
    "$resource/up/service/{own}",
    "$ota/report/{own}",
)
_DOWN = (
    "{own}/control",
    "{own}/data",
    *(f"${name}/operation/result/{{own}}" for name in _OPERATIONS),
    *(f"$thing/down/{kind}/{{own}}" for kind in _THING),
    "$resource/down/service/{own}",
    "$ota/update/{own}",
    "$broadcast/rxd/{own}",
)


class HubError(ToolError):
    """The hub cannot do what it was asked; the message is one clear sentence for a person."""


def is_product_id(text: str) -> bool:
    """Letters and digits; ten in practice, other lengths up to 32 pass (protocol section 2)."""
    return _PRODUCT_ID.fullmatch(text) is not None


def is_device_name(text: str) -> bool:
    """1 to 48 of letters, digits, colon, underscore, hyphen (protocol section 2)."""
    return _DEVICE_NAME.fullmatch(text) is not None


def check_product_secret(secret: str) -> None:
    """Raise HubError unless `secret` is 16 to 32 printable ASCII characters (section 2)."""
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise HubError(
            f"the product secret must be {MIN_SECRET} to {MAX_SECRET} characters long, "
            f"not {len(secret)}"
        )
    if _SECRET.fullmatch(secret) is None:
        raise HubError("the product secret must be printable ASCII without spaces")


def host_without_port(host: str) -> str:
    """The part of a Host header that is signed: no port (protocol section 2)."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def signing_algorithms(*, strict: bool = False) -> tuple[str, ...]:
    """The algorithms that sign registrations and passwords; `strict`: this library's only."""
    return (ALGORITHM,) if strict else (ALGORITHM, OLD_ALGORITHM)


def clockless_timestamps(*, strict: bool = False) -> tuple[int, ...]:
    """What a device without a clock signs as the time of its registration (protocol section 2)."""
    return (0,) if strict else (0, SDK_TIMESTAMP)


def registration_signature(
    secret: str, host: str, algorithm: str, timestamp: str, nonce: str, body: bytes
) -> str:
    """The right X-TC-Signature for a request (protocol section 2): base64 of the raw HMAC.

    `algorithm` is one of signing_algorithms() and hashes the body too; `timestamp` and `nonce` are
    the header's digits as sent, `body` the exact bytes as sent.
    """
    digest = _DIGESTS[algorithm]
    lines = [
        "POST",
        host,
        REGISTER_PATH,
        "",
        algorithm,
        timestamp,
        nonce,
        hashlib.new(digest, body).hexdigest(),
    ]
    return base64.b64encode(
        hmac.digest(secret.encode(), "\n".join(lines).encode(), digest)
    ).decode()


def old_registration_signature(
    secret: str, product_id: str, name: str, timestamp: str, nonce: str
) -> str:
    """The right signature of an older request, to /register/dev (section 2): base64 of the hex."""
    text = f"deviceName={name}&nonce={nonce}&productId={product_id}&timestamp={timestamp}"
    digest = hmac.new(secret.encode(), text.encode(), "sha1").hexdigest()
    return base64.b64encode(digest.encode()).decode()


def encrypt_payload(secret: str, plaintext: bytes) -> str:
    """Base64 of AES-128-CBC with zero padding, as in a registration reply (section 3).

    The key is the first 16 characters of the product secret, the IV sixteen ASCII zeros. A
    plaintext that fills its last block gets no padding.
    """
    padded = plaintext + bytes(-len(plaintext) % _BLOCK)
    cipher = Cipher(algorithms.AES(secret[:_BLOCK].encode()), modes.CBC(b"0" * _BLOCK))
    encryptor = cipher.encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def username_fault(
    client_id: str, username: str, now: float, *, strict: bool = False
) -> str | None:
    """Why the user name of an MQTT login is not good, in words without any secret, else None.

    `now` is in Unix seconds. All there is to check of certificate devices. Source: section 4.
    """
    parts = username.split(";")
    app_id = OWN_APP_ID if strict else "{app id}"
    if len(parts) != 4:
        return f"username is not {{client id}};{app_id};{{connid}};{{expiry}}"
    if parts[0] != client_id:
        return "username does not begin with the client id"
    if _APP_ID.fullmatch(parts[1]) is None or (strict and parts[1] != OWN_APP_ID):
        return f"app id in the username is not {OWN_APP_ID if strict else 'a number'}"
    if _CONNECTION_ID.fullmatch(parts[2]) is None:
        return "connid in the username is not 5 letters or digits"
    if _SECONDS.fullmatch(parts[3]) is None:
        return "expiry in the username is not Unix seconds"
    if int(parts[3]) <= now:
        return "the signature has expired"
    return None


def password_fault(
    username: str, password: bytes, psk: str, *, strict: bool = False
) -> str | None:
    """Why the password of an MQTT login is not good, in words without any secret, else None.

    `psk` is the device secret in base64. Source: section 4.
    """
    signature, _, method = password.partition(b";")
    known = signing_algorithms(strict=strict)
    algorithm = next((one for one in known if one.encode() == method), None)
    if algorithm is None:
        return f"password does not end in ;{' or ;'.join(known)}"
    key = base64.b64decode(psk)
    digest = hmac.new(key, username.encode(), _DIGESTS[algorithm]).hexdigest()
    if not hmac.compare_digest(signature, digest.encode()):
        return "the password's signature is wrong"
    return None


def topic_fault(topic: str) -> str | None:
    """Why a topic breaks the size limits of protocol section 4; None when it does not."""
    if len(topic.encode()) > MAX_TOPIC:
        return f"topic over {MAX_TOPIC} bytes"
    if topic.count("/") > MAX_SLASHES:
        return f"topic with more than {MAX_SLASHES} slashes"
    return None


def check_payload(payload: bytes) -> None:
    """Raise HubError where a message is larger than protocol section 4 allows."""
    if len(payload) > MAX_PAYLOAD:
        raise HubError(f"payload over {MAX_PAYLOAD} bytes")


def may_publish(product_id: str, device_name: str, topic: str) -> bool:
    """Whether the device may publish to `topic` (protocol sections 6 and 7)."""
    own = f"{product_id}/{device_name}"
    process_id = topic.removeprefix(f"$rrpc/txd/{own}/")
    if process_id != topic:
        return process_id != "" and "/" not in process_id
    return any(topic == template.format(own=own) for template in _UP)


def may_subscribe(product_id: str, device_name: str, topic_filter: str) -> bool:
    """Whether the device may subscribe to `topic_filter` (protocol sections 6 and 7).

    The only wildcard allowed is the documented `+` at the end of the RRPC topic.
    """
    own = f"{product_id}/{device_name}"
    process_id = topic_filter.removeprefix(f"$rrpc/rxd/{own}/")
    if process_id != topic_filter:
        return process_id not in ("", "#") and "/" not in process_id
    return any(topic_filter == template.format(own=own) for template in _DOWN)


def kind_of(product_id: str, device_name: str, topic: str) -> tuple[str, str]:
    """(kind, tail) of a topic "{kind}/{product}/{device}[/{tail}]"; ("", "") of any other."""
    kind, own, tail = topic.partition(f"/{product_id}/{device_name}")
    return (kind, tail.removeprefix("/")) if own and tail[:1] in ("", "/") else ("", "")


def filters_over(topic: str) -> tuple[str, str]:
    """The filters that may be granted (may_subscribe) and under which `topic` falls."""
    return topic, topic.rpartition("/")[0] + "/+"
