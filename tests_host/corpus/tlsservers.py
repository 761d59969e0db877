"""Small TLS servers for the corpus, one port for each way to behave, well or badly.

`description` is a JSON file: {"ca": path of the right CA (DER), "otherCa": path, "ports": {name:
port}, "pairs": {name: [a client's certificate, its key], as PEM}}. Certificates are made anew
each time, by trustme.
"""

import contextlib
import datetime
import json
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

VECTORS = Path(__file__).parent.parent / "vectors.json"
_DAY = datetime.timedelta(days=1)
_LONGEST_S = 5  # no connection outlives this


class TlsServers:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="corpus-tls-")
        self._listeners = []
        folder = Path(self._folder.name)
        ca, other = trustme.CA(), trustme.CA()
        self.description = folder / "servers.json"
        for name, authority in (("ca.der", ca), ("other.der", other)):
            pem = authority.cert_pem.bytes()
            folder.joinpath(name).write_bytes(ssl.PEM_cert_to_DER_cert(pem.decode()))
        now = datetime.datetime.now(datetime.UTC)
        good = _context(ca.issue_cert("localhost"))
        mutual = _context(ca.issue_cert("localhost"))
        mutual.maximum_version = ssl.TLSVersion.TLSv1_2  # so that a refusal ends the handshake
        mutual.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(mutual)
        rsa, ecdsa = trustme.KeyType.RSA, trustme.KeyType.ECDSA
        pairs = {
            "rsa": ca.issue_cert(common_name="dev", key_type=rsa),
            "ec": ca.issue_cert(common_name="dev", key_type=ecdsa),
            "other": other.issue_cert(common_name="dev", key_type=ecdsa),
        }
        contexts = {
            "wrong name": ca.issue_cert("elsewhere.example"),
            "expired": ca.issue_cert("localhost", not_before=now - 9 * _DAY, not_after=now - _DAY),
            "not yet": ca.issue_cert("localhost", not_before=now + _DAY, not_after=now + 9 * _DAY),
        }
        behaviours = {
            "gateway": _over(good, _gateway),
            "gateway no close_notify": _over(good, _gateway_no_close_notify),
            "echo": _over(good, _echo),
            "mutual": _over(mutual, _echo),
            "long": _over(good, _long),
            "drip": _over(good, _drip),
            "hang up": _over(good, _hang_up),
            "self-signed": _over(_self_signed(folder), _echo),
            "plain text": _plain_text,
            "hang up in the handshake": _hang_up_in_the_handshake,
            "reset in the handshake": _reset,
            "silence": _silence,
            "deaf": _deaf,
            "drip in the handshake": _drip_in_the_handshake,
            **{name: _over(_context(cert), _echo) for name, cert in contexts.items()},
        }
        ports = {name: self._listen(behaviour) for name, behaviour in behaviours.items()}
        with socket.create_server(("127.0.0.1", 0)) as closed:
            ports["closed"] = closed.getsockname()[1]
        ports["full"] = self._listen_to_nobody()
        self.description.write_text(
            json.dumps(
                {
                    "ca": str(folder / "ca.der"),
                    "otherCa": str(folder / "other.der"),
                    "ports": ports,
                    "pairs": {name: _pair(leaf) for name, leaf in pairs.items()},
                }
            )
        )

    def _listen(self, behaviour):
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        threading.Thread(target=_accept, args=(listener, behaviour), daemon=True).start()
        return listener.getsockname()[1]

    def _listen_to_nobody(self):
        """A port whose queue is full: the system answers no further SYN."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listeners.append(listener)
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            self._listeners.append(waiting)
        return listener.getsockname()[1]

    def close(self):
        for listener in self._listeners:
            listener.close()
        self._folder.cleanup()


def _accept(listener, behaviour):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, behaviour), daemon=True).start()


def _serve(connection, behaviour):
    connection.settimeout(_LONGEST_S)
    with contextlib.suppress(OSError), connection:  # ssl.SSLError is one too
        behaviour(connection)


def _context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _pair(leaf):
    pems = leaf.cert_chain_pems[0], leaf.private_key_pem
    return [pem.bytes().decode() for pem in pems]


def _self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self-signed.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


# --- behaviours over TLS ----------------------------------------------------------------------


def _over(context, behaviour):
    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            behaviour(tls)

    return serve


def _gateway(tls):
    """Answers one registration with the published reply, then sends close_notify."""
    _gateway_no_close_notify(tls)
    tls.unwrap()


def _gateway_no_close_notify(tls):
    request = b""
    while b"\r\n\r\n" not in request or not request.endswith(b"}"):
        request += tls.recv(4096)
    vector = json.loads(VECTORS.read_text())["decrypt"][0]
    body = json.dumps({"Response": {"Len": vector["len"], "Payload": vector["payload"]}})
    tls.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def _echo(tls):
    while data := tls.recv(4096):
        tls.sendall(data)


def _long(tls):
    """One record with 600 bytes, once asked."""
    tls.recv(4096)
    tls.sendall(bytes(range(200)) * 3)
    tls.recv(4096)


def _drip(tls):
    for _ in range(30):
        tls.sendall(b"x")
        time.sleep(0.1)


def _hang_up(tls):
    """Reads what comes first, answers half, and is gone without close_notify."""
    tls.recv(4096)
    tls.sendall(b"half")


# --- behaviours below TLS ---------------------------------------------------------------------


def _plain_text(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nspeak plainly\r\n")
    connection.recv(4096)


def _hang_up_in_the_handshake(connection):
    connection.recv(4096)
    connection.sendall(b"\x16\x03\x03\x00\x50\x02\x00")


def _reset(connection):
    connection.recv(1)  # what is left unread makes the close a reset


def _silence(connection):
    while connection.recv(4096):
        pass


def _deaf(connection):
    time.sleep(_LONGEST_S)


def _drip_in_the_handshake(connection):
    connection.recv(4096)
    connection.sendall(b"\x16\x03\x03\x10\x00")
    for _ in range(30):
        connection.sendall(b"\x02")
        time.sleep(0.1)
