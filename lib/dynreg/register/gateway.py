"""One signed POST on a link that stands; the reply decrypted and checked (docs/protocol.md, 3)."""

import sys

import ucryptolib as cryptolib
import uhashlib as hashlib
import ujson as json
from micropython import const
from ubinascii import a2b_base64, b2a_base64, hexlify

from .. import port
from ..connect.adapter import through
from ..connect.hmac import hmac, key
from ..errors import NetworkError, ProtocolError, RegistrationError

_CBC = const(2)
# No table of codes exists (docs/protocol.md, 3): these words mark what passes soon.
# The Chinese ones: busy, too often, in a while, time-out.
_SOON = const(
    "requestlimit throttl frequen internal unavailable timeout busy "
    "\u7e41\u5fd9 \u9891\u7e41 \u7a0d\u540e \u8d85\u65f6"
)
_MOST_S = const(3600)  # that a server may ask us to wait


def post(info, own, link, timestamp):
    """The credential, by one request on link; see first_boot.run().

    own: (certificate, key) that the device brought, or None. timestamp: Unix seconds, 0 without.
    """
    gateway = info.gateway
    fields = {"ProductId": info.product_id, "DeviceName": info.device_name}
    if own:
        fields["EncryptionType"] = 1
        fields["ClientCert"] = own[0]
    body = json.dumps(fields).encode()
    host = gateway.host
    if gateway.port != (443 if gateway.secure else 80):
        host = "%s:%d" % (host, gateway.port)
    nonce = (int.from_bytes(port.random_bytes(4), "big") & 0x7FFFFFFF) or 1
    signed = signature(info.product_secret, gateway.host, body, timestamp, nonce)
    headers = {
        "Host": host,
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Nonce": str(nonce),
        "X-TC-Signature": signed,
    }
    # TLS is the link's, so urequests is to see a plain connection.
    url = "http://%s:%d/device/register" % (gateway.host, gateway.port)
    requests = library()
    status, content, asked = through(
        requests, link, gateway, lambda: _request(requests, url, body, headers)
    )
    # True, or the seconds that Retry-After asks for, where this status says "not now".
    soon = (status >= 500 or status in (408, 425, 429)) and _seconds(asked)
    return _credential(info, own, _response(info, status, content, soon))


def signature(product_secret, host, body, timestamp, nonce):
    """X-TC-Signature, a str, for exactly these body bytes (docs/protocol.md, 2).

    host: no scheme, no port. timestamp: Unix seconds, or 0 without a clock.
    """
    text = "POST\n%s\n/device/register\n\nhmacsha256\n%d\n%d\n%s" % (
        host,
        timestamp,
        nonce,
        hexlify(hashlib.sha256(body).digest()).decode(),
    )
    return b2a_base64(hmac(product_secret.encode(), text.encode())).decode().strip()


def library():
    """The urequests library itself, never its `urequests` alias, whose globals are not its own."""
    if sys.implementation.name == "micropython":
        try:
            import requests

            return requests
        except ImportError:
            pass
    import urequests

    return urequests


def _request(requests, url, body, headers):
    response = requests.request("POST", url, data=body, headers=headers)
    asked = ""
    kept = getattr(response, "headers", None) or {}  # the releases before 2021 keep none
    for name in kept:
        if name.lower() == "retry-after":
            asked = kept[name]
    return response.status_code, response.content, asked


def _seconds(asked):
    """The seconds in a Retry-After header's text (RFC 9110, 10.2.3); True where it has none."""
    try:
        seconds = int(asked)
    except ValueError:
        try:
            seconds = port.step("connect.first_clock", "http_date", asked.encode())
            seconds -= port.unix_time()
        except ValueError:
            return True
    return max(1, min(seconds, _MOST_S))


def _response(info, status, content, soon):
    """The reply's Response object, whatever the HTTP status (docs/protocol.md, 3).

    soon: the error's retry, where the status alone says that it passes.
    """
    host = info.gateway.host
    if _opened(content) or (status == 200 and not content):
        raise NetworkError("network.closed", "%s: the reply stops in the middle" % host)
    try:
        reply = json.loads(content)
        response = reply.get("Response", reply)
        fault = response.get("Error")
        if fault is None:
            if "Response" in reply and "code" not in response:
                return response
            fault = response
        # Documented are Code and Message in Error; other services of the cloud's answer
        # {"code": 1010, "message": …}, or leave one of the two out.
        words = [fault.get(name, fault.get(name.lower())) for name in ("Code", "Message")]
        if words == [None, None]:
            raise ValueError
        code, message = ["" if word is None else str(word) for word in words]
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        raise ProtocolError(
            "protocol.reply",
            "%s answers with no registration reply (HTTP status %d)" % (host, status),
            soon or None,
        ) from None
    text = (code + message).lower()
    error = RegistrationError(
        "register.refused",
        "the cloud refuses: %s (%s)%s" % (message or "no reason given", code, _advice(info, text)),
        soon or any(word in text for word in _SOON.split()) or None,
    )
    error.cloud_code, error.cloud_message = code, message
    error.request_id = _request_id(response)  # pyright: ignore
    raise error


def _advice(info, text):
    """What a person may do about the commonest refusals, by the cloud's words in lower case."""
    if "signature" in text:
        return ": is productSecret that of %s in the console?" % info.product_id
    if "activated" in text:
        return ": delete %s in the console, then it registers anew" % info.device_name
    return ""


def _opened(content):
    """Whether an object begins and does not end; before 1.26 json.loads takes that for whole."""
    depth = 0
    string = escaped = False
    if content[:1] == b"{":
        for byte in content:
            if string:
                string = escaped or byte != 0x22
                escaped = byte == 0x5C and not escaped
            elif byte == 0x22:
                string = True
            elif byte in b"{}":
                depth += 1 if byte == 0x7B else -1
                if not depth:
                    return False
    return depth or string


def _request_id(response):
    found = response.get("RequestId")
    return found if isinstance(found, str) else None


def _credential(info, own, response):
    """The credential out of a good reply; there is no integrity tag, so all is checked."""
    try:
        cipher = a2b_base64(response["Payload"])
        length = response["Len"]
        aes = cryptolib.aes(info.product_secret[:16].encode(), _CBC, b"0" * 16)
        plain = aes.decrypt(cipher)
        # Len before the zeros, and no more zeros than one block may take.
        if not 0 <= len(plain) - length < 16:  # a slice takes no number this large
            raise ValueError
        text = plain[:length]
        if any(plain[length:]) or 0 in text or _opened(text):
            raise ValueError
        values = json.loads(text)
        if values["encryptionType"] != (2 if info.mode == "KEY" else 1):
            raise ValueError
        if info.mode == "KEY":
            credential = values["psk"]
            key(credential)
        else:
            from ..connect.trust import pair_of_der

            if own and "clientCert" in values:
                raise ValueError
            credential = own or (values["clientCert"], values["clientKey"])
            pair_of_der(credential)
    except (ValueError, KeyError, TypeError, AttributeError):
        error = ProtocolError(
            "protocol.payload",
            "the reply does not decrypt to a credential: is productSecret that of %s?"
            % info.product_id,
        )
        error.request_id = _request_id(response)  # pyright: ignore
        raise error from None
    return credential
