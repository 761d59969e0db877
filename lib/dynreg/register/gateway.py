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
# No table of codes exists (docs/protocol.md, 3): these words mark what a later try may mend.
_TRANSIENT = ("requestlimit", "throttl", "frequen", "internal", "unavailable", "timeout", "busy")


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
    status, content = through(
        requests, link, gateway, lambda: _request(requests, url, body, headers)
    )
    return _credential(info, own, _response(gateway.host, status, content))


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
    return response.status_code, response.content


def _response(host, status, content):
    """The reply's Response object, whatever the HTTP status (docs/protocol.md, 3)."""
    if _opened(content) or (status == 200 and not content):
        raise NetworkError("network.closed", "%s: the reply stops in the middle" % host)
    try:
        response = json.loads(content)["Response"]
        fault = response.get("Error")
        if not fault:
            return response
        code, message = fault["Code"], fault["Message"]
        if not (isinstance(code, str) and isinstance(message, str)):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        raise ProtocolError(
            "protocol.reply",
            "%s answers with no registration reply (HTTP status %d)" % (host, status),
            retry=status >= 500,
        ) from None
    text = (code + message).lower()
    error = RegistrationError(
        "register.refused",
        "the cloud refuses: %s (%s)" % (message, code),
        any(word in text for word in _TRANSIENT),
    )
    error.cloud_code, error.cloud_message = code, message
    error.request_id = _request_id(response)  # pyright: ignore
    raise error


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
        text = plain[:length]
        if not 0 <= len(plain) - length < 16 or any(plain[length:]) or 0 in text or _opened(text):
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
