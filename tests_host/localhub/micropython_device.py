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

sys.path.append(__file__.rsplit("/", 2)[0] + "/corpus")

import packets


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


def login(stream, client_id, username, password):
    stream.write(packets.connect(client_id, username, password))
    first, body = packets.read(stream.read)
    assert first == 0x20
    return body[1]


def ask_time(stream, own):
    stream.write(packets.subscribe(1, "$sys/operation/result/" + own))
    assert packets.read(stream.read) == (0x90, b"\x00\x01\x00")
    stream.write(packets.publish("$sys/operation/" + own, b'{"type":"get","resource":["time"]}'))
    first, body = packets.read(stream.read)
    assert first == 0x30
    return json.loads(body[2 + int.from_bytes(body[:2], "big") :])["time"]


def main(given):
    stream = connect(given)
    seen = {"cipher": stream.cipher()[0], "connack": login(stream, *given["login"])}
    if seen["connack"] == 0:
        seen["time"] = ask_time(stream, given["own"])
        stream.write(packets.DISCONNECT)
    return seen


try:
    print(json.dumps(main(json.load(sys.stdin))))
except (OSError, ValueError) as exc:
    print(json.dumps({"error": repr(exc)}))
