"""What a hub takes of this machine: a data directory and its ports."""

import errno
import os
import socket
from pathlib import Path

from .rules import HubError


def data_directory(path: str | Path) -> Path:
    """The directory, made where it is not there; HubError when it cannot be used."""
    directory = Path(path).resolve()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise HubError(f"cannot make the data directory {directory}: {exc.strerror}") from exc
    if not os.access(directory, os.W_OK | os.X_OK):
        raise HubError(f"cannot write to the data directory {directory}")
    return directory


def bound(host: str, port: int, name: str, *, udp: bool) -> socket.socket:
    """A socket for the port of this name, 0 being a free one; over TCP it listens. HubError."""
    try:
        if not udp:
            return socket.create_server((host, port))
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return sock
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise HubError(f"port {port} ({name}) on {host} is in use") from exc
        text = exc.strerror or exc
        raise HubError(f"cannot listen on {host} port {port} ({name}): {text}") from exc
