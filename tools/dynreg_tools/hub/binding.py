"""The hub's sockets: bound to a host by name or address, IPv4 or IPv6."""

import errno
import socket

from .addresses import reached_at
from .rules import HubError


def bind(host: str, port: int, name: str, *, udp: bool) -> socket.socket:
    """A socket for the port called `name`, listening unless it is UDP; HubError where it fails.

    Of a host that has both kinds of address the IPv4 one is taken, as boards have no other.
    """
    try:
        family = _family(host)
        if not udp:
            return socket.create_server((host, port), family=family)
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((host, port))
        except BaseException:
            sock.close()
            raise
    except (OSError, UnicodeError) as exc:  # a name that cannot be one in DNS
        if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
            text = f"port {port} ({name}) on {host} is in use: take others by --port-base"
            raise HubError(text) from exc
        text = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise HubError(f"cannot listen on {host} port {port} ({name}): {text}") from exc
    return sock


def _family(host: str) -> socket.AddressFamily:
    found = {family for family, *_ in socket.getaddrinfo(host, None)}
    return socket.AF_INET if socket.AF_INET in found else socket.AF_INET6


def address_of(sock: socket.socket) -> str:
    """The address at which a socket is reached from this machine."""
    address = sock.getsockname()[0]
    return reached_at(address)[0]
