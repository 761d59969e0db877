"""MicroPython's tls module over ssl.MemoryBIO.

The stream below is any object with readinto and write, as mbedTLS sees it on a board: a negative
count is an errno, 0 the end. Records are taken off it one by one, so that nothing is held back
from a poll of the stream. Errors have mbedTLS's types, numbers and words.
"""

import os
import ssl
import tempfile
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

PROTOCOL_TLS_CLIENT = 0
CERT_NONE, CERT_REQUIRED = 0, 2

_CONN_EOF = -0x7280
_FATAL_ALERT = -0x7780
_INVALID_RECORD = -0x7200
_CA_CHAIN_REQUIRED = -0x7680
_RECORD_TYPES = (20, 21, 22, 23)

_WORDS = {  # X509_V_ERR_…: what mbedtls_x509_crt_verify_info says
    9: "The certificate validity starts in the future",
    10: "The certificate validity has expired",
    62: "The certificate Common Name (CN) does not match with the expected CN",
    64: "The certificate Common Name (CN) does not match with the expected CN",
}
_NOT_SIGNED = "The certificate is not correctly signed by the trusted CA"


class SSLContext:
    def __init__(self, protocol: int) -> None:
        if protocol != PROTOCOL_TLS_CLIENT:
            raise ValueError("a client is all there is here")
        self.verify_mode = CERT_REQUIRED
        self._ders: list[bytes] = []
        self._pair: bytes | None = None

    def load_verify_locations(self, der: bytes) -> None:
        """One certificate in DER, as the unix port takes it."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=bytes(der))
        except (ssl.SSLError, ValueError):
            raise ValueError("invalid cert") from None
        self._ders.append(bytes(der))

    def load_cert_chain(self, cert: bytes, key: bytes) -> None:
        """One certificate and its key in DER, shown to a server that asks."""
        try:
            shown = x509.load_der_x509_certificate(bytes(cert))
            cert = shown.public_bytes(serialization.Encoding.PEM)
        except ValueError:
            raise ValueError("invalid cert") from None
        try:
            key = serialization.load_der_private_key(bytes(key), None).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            self._pair = cert + key
            self._show(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (ValueError, TypeError, ssl.SSLError):
            raise ValueError("invalid key") from None

    def _show(self, context: ssl.SSLContext) -> None:
        assert self._pair is not None
        with tempfile.TemporaryDirectory() as folder:  # the only way in is a file
            path = os.path.join(folder, "pair.pem")
            with open(path, "wb") as file:
                file.write(self._pair)
            context.load_cert_chain(path)

    def wrap_socket(self, stream: Any, server_hostname: str | None = None) -> "SSLSocket":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        if self.verify_mode == CERT_NONE:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif server_hostname is None:
            raise ValueError("CERT_REQUIRED requires server_hostname")
        elif not self._ders:
            raise OSError(_CA_CHAIN_REQUIRED, "MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED")
        for der in self._ders:
            context.load_verify_locations(cadata=der)
        if self._pair:
            self._show(context)
        return SSLSocket(context, stream, server_hostname)


class SSLSocket:
    def __init__(self, context: ssl.SSLContext, stream: Any, server_hostname: str | None) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._drive(self._tls.do_handshake)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fills buffer; less only where the stream ends, with a close_notify alert or without."""
        view = memoryview(buffer)
        done = 0
        while done < len(view):
            try:
                count = self._drive(self._tls.read, len(view) - done, view[done:])
            except EOFError:
                break
            if not count:
                break
            done += count
        return done

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])

    def write(self, data: bytes) -> int:
        return self._drive(self._tls.write, bytes(data))

    def pending(self) -> int:
        """Bytes that are decrypted and not read yet: a poll of the stream cannot see them."""
        return self._tls.pending()

    def setblocking(self, flag: bool) -> None:
        self._stream.setblocking(flag)

    def close(self) -> None:
        self._stream.close()

    def _drive(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """step's result, with records carried both ways as long as it asks for more."""
        handshake = step == self._tls.do_handshake
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
                continue
            except ssl.SSLCertVerificationError as error:
                self._send()  # the alert
                raise ValueError(_WORDS.get(error.verify_code, _NOT_SIGNED) + "\n") from None
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                if handshake:
                    raise OSError(_CONN_EOF, "MBEDTLS_ERR_SSL_CONN_EOF") from None
                raise EOFError from None
            except ssl.SSLError as error:
                self._send()
                alert = "ALERT" in (error.reason or "")
                raise OSError(_FATAL_ALERT if alert else _INVALID_RECORD, error.reason) from None
            self._send()
            return result

    def _send(self) -> None:
        data = self._outgoing.read()
        while data:
            data = data[_checked(self._stream.write(data)) :]

    def _receive(self) -> None:
        """One record: its head of five bytes, then as many as that says."""
        head = self._exactly(5)
        if head and head[0] in _RECORD_TYPES:
            body = self._exactly(int.from_bytes(head[3:5], "big"))
            head = body and head + body
        if head:  # what is no record goes on as it is: TLS says so itself
            self._incoming.write(head)
        else:
            self._incoming.write_eof()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = bytearray(size - len(data))
            count = _checked(self._stream.readinto(part))
            if not count:
                return b""
            data += part[:count]
        return bytes(data)


def _checked(count: int | None) -> int:
    if count is None or count < 0:
        raise OSError(-count if count else 11)
    return count
