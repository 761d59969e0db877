"""A gateway that is a Peer, and its replies: what the registration tests begin with."""

import json
from binascii import b2a_base64

import canaries
import cryptolib
import fakes
from dynreg.device import DeviceInfo
from dynreg.register import first_boot

HOST = "hub.local"
NONCE = 0x12345678
PLAIN = json.dumps({"encryptionType": 2, "psk": canaries.DEVICE_SECRET})


def info(gateway="http://" + HOST, **changes):
    return DeviceInfo(fakes.device_info(endpoint={"gateway": gateway}, **changes))


def http(body, status="200 OK", headers=()):
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json"]
    lines.extend(headers)
    lines.append(f"Content-Length: {len(body)}")
    return [(0, "\r\n".join(lines).encode() + b"\r\n\r\n" + body), (0, fakes.END)]


def payload(plain=PLAIN, pad=None, secret=canaries.PRODUCT_SECRET):
    """What a reply carries encrypted, in base64: AES-128-CBC, zeros up to a whole block."""
    plain = plain.encode() if isinstance(plain, str) else plain
    padding = bytes(-len(plain) % 16) if pad is None else pad
    aes = cryptolib.aes(secret[:16].encode(), 2, b"0" * 16)
    return b2a_base64(aes.encrypt(plain + padding)).decode().strip()


def good(plain=PLAIN, **changes):
    """The JSON of a reply that grants plain; a change to None takes a key out."""
    response = {"Len": len(plain), "Payload": payload(plain), "RequestId": "request-1", "State": 0}
    response.update(changes)
    return {"Response": {k: response[k] for k in response if response[k] is not None}}


def refusal(code, message):
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "request-2"}}


def network(*peers, unix=fakes.NOW * 1000):
    fakes.random(NONCE.to_bytes(4, "big"))
    return fakes.network(fakes.Clock(unix), *peers)


def obtain(device):
    """The credential, as first_boot.register() gets it for a device, on a clock that is set."""
    return first_boot.register(device, 0)


def register(reply, device=None):
    """What register() makes of one HTTP reply."""
    network(fakes.Peer(reply))
    return obtain(device or info())


def refused(kind, reply, code, says="", retry=None, device=None):
    """The error register() raises after exactly one attempt with this reply."""
    peer = fakes.Peer(reply)
    net = network(peer)
    error = fakes.raises(kind, obtain, device or info(), code=code, says=says, retry=retry)
    assert len(net.sockets) == 1 and peer.closed and len(peer.segments) == 1
    return error


def request(peer):
    """(request line, headers by name, body) of what a peer got."""
    head, _, body = peer.sent.partition(b"\r\n\r\n")
    first, *_ = lines = head.decode().split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(": ", 1)
        assert name not in headers, name
        headers[name] = value
    return first, headers, body
