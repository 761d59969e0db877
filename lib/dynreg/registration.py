"""Dynamic registration: one signed POST, the reply decrypted and checked; nothing else."""

import hashlib
import json
import sys
from binascii import a2b_base64, b2a_base64, hexlify

import cryptolib

from . import clock, log, port, trust
from .errors import NetworkError, ProtocolError, RegistrationError
from .signing import hmac_sha256
from .tls import Door

_DEADLINE_MS = 30000  # the whole exchange, DNS aside
_CBC = 2
# No table of codes exists (docs/protocol.md, 3): these words mark what a later try may mend.
_PASSING = ("requestlimit", "throttl", "frequen", "internal", "unavailable", "timeout", "busy")


def register(info, day=0):
    """The credential that the cloud gives this device (docs/protocol.md, 2, 3).

    The device secret, base64 text; in certificate mode (certificate, key) as PEM, the device's
    own pair where it brought one. Each call makes any credential given before worthless.
    RegistrationError: the cloud's refusal; ProtocolError: a reply that is none; NetworkError,
    CertificateError, ConfigError: as the door says. day: see trust.judged().
    """
    if info.gateway.secure:
        return trust.judged(info, day, lambda: _register(info))
    return _register(info)


def _register(info):
    timestamp = clock.unix_time()
    until = port.ticks_add(port.ticks_ms(), _DEADLINE_MS)
    try:
        return _attempt(info, timestamp, until)
    except RegistrationError as error:
        if not timestamp or "signature" not in (error.cloud_code + error.cloud_message).lower():
            raise
    log.warning("register: signature refused, once more without the time")
    return _attempt(info, 0, until)


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
    digest = hmac_sha256(product_secret.encode(), text.encode())
    return b2a_base64(digest).decode().strip()


def _attempt(info, timestamp, until):
    gateway = info.gateway
    fields = {"ProductId": info.product_id, "DeviceName": info.device_name}
    own = None
    if info.mode == "CERT":
        from . import credentials

        own = credentials.in_file(info)[1]
    if own:
        fields["EncryptionType"] = 1
        fields["ClientCert"] = own[0]
    body = json.dumps(fields).encode()
    host = gateway.host
    if gateway.port != (443 if gateway.secure else 80):
        host = "%s:%d" % (host, gateway.port)
    nonce = (int.from_bytes(port.random_bytes(4), "big") & 0x7FFFFFFF) or 1
    headers = {
        "Host": host,
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Nonce": str(nonce),
        "X-TC-Signature": signature(info.product_secret, gateway.host, body, timestamp, nonce),
    }
    # The door does the TLS, so urequests is to see a plain connection.
    url = "http://%s:%d/device/register" % (gateway.host, gateway.port)
    requests = port.requests_module()
    context = trust.Trust(gateway.ca, trust.GATEWAY).context if gateway.secure else None
    ms = port.ticks_diff(until, port.ticks_ms())
    door = Door(gateway.host, gateway.port, context, ms)
    try:
        status, content = door.through(requests, lambda: _post(requests, url, body, headers))
    finally:
        door.close()
        sys.modules.pop(requests.__name__, None)
    return _credential(info, own, _response(gateway.host, status, content))


def _post(requests, url, body, headers):
    response = requests.request("POST", url, data=body, headers=headers)
    return response.status_code, response.content


def _response(host, status, content):
    """The reply's Response object, whatever the HTTP status (docs/protocol.md, 3)."""
    opened = content[:1] == b"{" and content.count(b"{") > content.count(b"}")
    if opened or (status == 200 and not content):
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
        any(word in text for word in _PASSING),
    )
    error.cloud_code, error.cloud_message = code, message
    error.request_id = _request_id(response)  # pyright: ignore
    raise error


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
        if not 0 <= len(plain) - length < 16 or any(plain[length:]) or 0 in plain[:length]:
            raise ValueError
        values = json.loads(plain[:length])
        if values["encryptionType"] != (2 if info.mode == "KEY" else 1):
            raise ValueError
        if info.mode == "KEY":
            credential = values["psk"]
            if not a2b_base64(credential):
                raise ValueError
        else:
            if own and "clientCert" in values:
                raise ValueError
            credential = own or (values["clientCert"], values["clientKey"])
            trust.pair(credential)
    except (ValueError, KeyError, TypeError, AttributeError):
        error = ProtocolError(
            "protocol.payload",
            "the reply does not decrypt to a credential: is productSecret that of %s?"
            % info.product_id,
        )
        error.request_id = _request_id(response)  # pyright: ignore
        raise error from None
    return credential
