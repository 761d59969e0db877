"""Dynamic registration: one signed POST, the reply decrypted and checked; nothing else."""

import json
from binascii import a2b_base64

import cryptolib

from . import clock, credentials, log, port, trust
from .errors import ProtocolError, RegistrationError
from .signing import registration_signature
from .tls import Door

_DEADLINE_MS = 30000  # the whole exchange, DNS aside
_CBC = 2
# No table of codes exists (docs/protocol.md, 3): these words mark what a later try may mend.
_PASSING = ("requestlimit", "throttl", "frequen", "internal", "unavailable", "timeout", "busy")


def register(info):
    """The credential that the cloud gives this device (docs/protocol.md, 2, 3).

    The device secret, base64 text; in certificate mode (certificate, key) as PEM, the device's
    own pair where it brought one. Each call makes any credential given before worthless.
    RegistrationError: the cloud's refusal; ProtocolError: a reply that is none; NetworkError,
    CertificateError, ConfigError: as the door says.
    """
    timestamp = clock.unix_time()
    try:
        return _attempt(info, timestamp)
    except RegistrationError as error:
        if not timestamp or "signature" not in (str(error.cloud_code) + str(error)).lower():
            raise
    log.warning("register: signature refused, once more without the time")
    return _attempt(info, 0)


def _attempt(info, timestamp):
    gateway = info.gateway
    fields = {"ProductId": info.product_id, "DeviceName": info.device_name}
    own = credentials.in_file(info)[1] if info.mode == "CERT" else None
    if own:
        fields["EncryptionType"] = 1
        fields["ClientCert"] = own[0]
    body = json.dumps(fields).encode()
    nonce = (int.from_bytes(port.random_bytes(4), "big") & 0x7FFFFFFF) or 1
    headers = {
        "Host": gateway.authority,
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Nonce": str(nonce),
        "X-TC-Signature": registration_signature(
            info.product_secret, gateway.host, body, timestamp, nonce
        ),
    }
    # The door does the TLS, so urequests is to see a plain connection.
    url = "http://%s:%d/device/register" % (gateway.host, gateway.port)
    requests = port.requests_module()
    ca = trust.Trust(gateway.ca, trust.GATEWAY) if gateway.secure else None
    door = Door(gateway.host, gateway.port, ca, _DEADLINE_MS)
    try:
        status, content = door.through(requests, lambda: _post(requests, url, body, headers))
    finally:
        door.close()
        port.forget(requests.__name__)
    return _credential(info, own, _response(gateway.host, status, content))


def _post(requests, url, body, headers):
    response = requests.request("POST", url, data=body, headers=headers)
    return response.status_code, response.content


def _response(host, status, content):
    """The reply's Response object, whatever the HTTP status (docs/protocol.md, 3)."""
    try:
        response = json.loads(content)["Response"]
        fault = response.get("Error")
        if not fault:
            return response
        code, message = str(fault["Code"]), str(fault["Message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProtocolError(
            "protocol.reply",
            "%s answers with no registration reply (HTTP status %d)" % (host, status),
            retry=status >= 500,
        ) from None
    text = (code + message).lower()
    raise RegistrationError(
        "register.refused",
        "the cloud refuses: %s (%s)" % (message, code),
        code,
        response.get("RequestId"),
        retry=any(word in text for word in _PASSING),
    )


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
        raise ProtocolError(
            "protocol.payload",
            "the reply does not decrypt to a credential: is productSecret that of %s?"
            % info.product_id,
            request_id=response.get("RequestId"),
        ) from None
    return credential
