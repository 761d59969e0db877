"""An independent client of the hub for its tests: signing, decrypting, raw MQTT."""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
import string
import time
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests_host.corpus import packets

PRODUCT_ID = "ABCDEFGHIJ"
LETTERS = string.ascii_letters + string.digits


def new_secret():
    """A product secret of the usual 24 characters."""
    return "".join(secrets.choice(LETTERS) for _ in range(24))


def signed(hub, device_name="dev-01", *, host=None, path="/device/register", **changes):
    """(headers, body) of a registration, good unless `changes` says otherwise.

    Keys: secret, product_id, body, more (further fields of the body), timestamp, nonce,
    algorithm (whose digest hashes the body too), signature; a header set to None is left out.
    """
    body = changes.get("body")
    if body is None:
        product_id = changes.get("product_id", hub.product_id)
        fields = {"ProductId": product_id, "DeviceName": device_name, **changes.get("more", {})}
        body = json.dumps(fields).encode()
    timestamp = changes.get("timestamp", int(time.time()))
    nonce = changes.get("nonce", secrets.randbelow(2**31 - 1) + 1)
    algorithm = changes.get("algorithm", "hmacsha256")
    digest = str(algorithm).lower().removeprefix("hmac")
    digest = digest if digest in ("sha1", "sha256") else "sha256"
    text = "\n".join(
        [
            "POST",
            host or urlsplit(hub.http).netloc.rpartition(":")[0],
            path,
            "",
            str(algorithm),
            str(timestamp),
            str(nonce),
            hashlib.new(digest, body).hexdigest(),
        ]
    )
    secret = changes.get("secret", hub.product_secret)
    right = base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
    values = {
        "X-TC-Algorithm": algorithm,
        "X-TC-Timestamp": timestamp,
        "X-TC-Nonce": nonce,
        "X-TC-Signature": changes.get("signature", right),
    }
    headers = {key: str(value) for key, value in values.items() if value is not None}
    return {**headers, "Content-Type": "application/json; charset=utf-8"}, body


def post(hub, device_name="dev-01", **changes):
    """The Response object of a registration over http."""
    headers, body = signed(hub, device_name, **changes)
    reply = requests.post(hub.http + "/device/register", data=body, headers=headers, timeout=5)
    assert reply.status_code == 200
    return reply.json()["Response"]


def decrypt(secret, response):
    """The object in a reply's payload, checked as a device must check it."""
    data = base64.b64decode(response["Payload"], validate=True)
    cipher = Cipher(algorithms.AES(secret[:16].encode()), modes.CBC(b"0" * 16)).decryptor()
    plain = cipher.update(data) + cipher.finalize()
    length = response["Len"]
    assert len(data) - length in range(16)
    assert not plain[length:].strip(b"\0")
    return json.loads(plain[:length])


def register(hub, device_name="dev-01"):
    """The device secret (base64) of a registration that must succeed."""
    return decrypt(hub.product_secret, post(hub, device_name))["psk"]


def register_certificate(hub, device_name="dev-01"):
    """(certificate, key), both PEM, of a registration that must succeed."""
    plaintext = decrypt(hub.product_secret, post(hub, device_name))
    return plaintext["clientCert"], plaintext["clientKey"]


def credentials(
    hub, name, psk, *, expiry=2147483647, connid="a1B2c", method="sha256", app_id="12010126"
):
    """(client id, username, password) of an MQTT login."""
    client_id = hub.product_id + name
    username = f"{client_id};{app_id};{connid};{expiry}"
    digest = hmac.new(base64.b64decode(psk), username.encode(), method).hexdigest()
    return client_id, username, f"{digest};hmac{method}"


class Raw:
    """A plain socket to the broker; TLS when `verify` names a CA file or is a context.

    `buffer` is what the system may keep of what is not read, in bytes.
    """

    def __init__(self, url, verify=None, buffer=None):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=10)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if verify:
            context = verify
            if not isinstance(verify, ssl.SSLContext):
                context = ssl.create_default_context(cafile=str(verify))
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError(data)
            data += more
        return data

    def packet(self):
        """The next whole packet as (first byte, body)."""
        return packets.read(self.read)

    def ended(self):
        """Whatever comes before the other side closes."""
        data = b""
        while more := self.socket.recv(4096):
            data += more
        return data


def logged_in(hub, device_name="dev-01", psk=None, **changes):
    """A Raw connection after its CONNACK."""
    psk = psk or register(hub, device_name)
    raw = Raw(hub.mqtt)
    raw.send(packets.connect(*credentials(hub, device_name, psk), **changes))
    assert raw.packet() == (0x20, b"\0\0")
    return raw
