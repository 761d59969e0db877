"""A device on real MicroPython for the hub's tests: TLS, login, the time, in one short script.

Run by `micropython`, with JSON on standard input (an argument may have 255 bytes at most): port,
login (client id, user name, password), own ("product/device", for topics), and either identity
and key (hex) for TLS-PSK or ca (a DER file). Prints as JSON what it saw: cipher, connack and
time, or error.
"""

import json
import socket
import sys

import tls


def connect(given):
    sock = socket.socket()
    sock.settimeout(5)
    sock.connect(socket.getaddrinfo("127.0.0.1", given["port"])[0][-1])
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if "ca" in given:
        with open(given["ca"], "rb") as file:
            context.load_verify_locations(file.read())
    else:
        context.psk_identity = given["identity"].encode()
        context.psk_key = bytes.fromhex(given["key"])
    if "ciphers" in given:
        context.set_ciphers(given["ciphers"])
    return context.wrap_socket(sock, server_hostname="localhost")


def field(text):
    return len(text).to_bytes(2, "big") + text.encode()


def packet(first, body):
    length = len(body)
    size = (length,) if length < 128 else (length & 127 | 128, length >> 7)
    return bytes((first,)) + bytes(size) + body


def read_packet(stream):
    first = stream.read(1)[0]
    length = stream.read(1)[0]
    if length > 127:
        length += (stream.read(1)[0] << 7) - 128
    return first, stream.read(length)


def login(stream, client_id, username, password):
    body = field("MQTT") + b"\x04\xc2\x00\x3c" + field(client_id)
    stream.write(packet(0x10, body + field(username) + field(password)))
    first, body = read_packet(stream)
    assert first == 0x20
    return body[1]


def ask_time(stream, own):
    stream.write(packet(0x82, b"\x00\x01" + field("$sys/operation/result/" + own) + b"\x00"))
    assert read_packet(stream) == (0x90, b"\x00\x01\x00")
    question = b'{"type":"get","resource":["time"]}'
    stream.write(packet(0x30, field("$sys/operation/" + own) + question))
    first, body = read_packet(stream)
    assert first == 0x30
    return json.loads(body[2 + int.from_bytes(body[:2], "big") :])["time"]


def main(given):
    stream = connect(given)
    seen = {"cipher": stream.cipher()[0], "connack": login(stream, *given["login"])}
    if seen["connack"] == 0:
        seen["time"] = ask_time(stream, given["own"])
        stream.write(b"\xe0\x00")
    return seen


try:
    print(json.dumps(main(json.load(sys.stdin))))
except (OSError, ValueError) as exc:
    print(json.dumps({"error": repr(exc)}))
