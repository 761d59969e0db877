"""The way to the cloud from this computer: DNS, TCP, verified TLS, and what time it is there."""

from __future__ import annotations

import email.utils
import runpy
import socket
import ssl
import time
from pathlib import Path
from typing import Any

from .. import sources


def dns(host: str, port: int) -> tuple[str | None, str | None]:
    """(address, None), or (None, why not)."""
    try:
        return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]), None
    except OSError as error:
        return None, str(error)


def tcp(host: str, port: int, seconds: float) -> str | None:
    """None, or why not."""
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError as error:
        return str(error)
    return None


def tls(host: str, port: int, context: ssl.SSLContext, seconds: float) -> str | None:
    """None once the other end is proved to be the host, else why not."""
    try:
        with (
            socket.create_connection((host, port), seconds) as raw,
            context.wrap_socket(raw, server_hostname=host),
        ):
            return None
    except OSError as error:  # ssl's are OSErrors
        return getattr(error, "verify_message", None) or str(error)


def clock(host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> float | None:
    """Seconds that this computer is ahead of the gateway's Date header; None where it has none."""
    try:
        with (
            socket.create_connection((host, port), seconds) as raw,
            context.wrap_socket(raw, server_hostname=host) if context else raw as stream,
        ):
            stream.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            head = stream.recv(4096).decode("latin-1")
    except OSError:
        return None
    for line in head.split("\r\n"):
        if line.lower().startswith("date:"):
            date = email.utils.parsedate_to_datetime(line[5:].strip())
            return time.time() - date.timestamp()
    return None


def context(ca: Path | None, roots: tuple[str, ...]) -> ssl.SSLContext:
    """Trusts what a board trusts: a CA file (PEM or DER), or dynreg's built-in roots."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is not None:
        data = ca.read_bytes()
        made.load_verify_locations(cadata=data if data[:1] == b"\x30" else data.decode())
    else:
        for name in roots:
            module: dict[str, Any] = runpy.run_path(str(sources.LIB / f"dynreg/roots/{name}.py"))
            made.load_verify_locations(cadata=module["certificate"]())
    return made
