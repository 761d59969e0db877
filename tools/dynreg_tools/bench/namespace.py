"""A network namespace that a thread of this process lives in: loopback and one TUN device.

What is called in that thread happens in the namespace: sockets opened there, programs and further
threads started there. Nothing of the host's own network is touched, and the kernel takes the
namespace away when the last of these ends, however they end.

Source: network_namespaces(7), netdevice(7), Documentation/networking/tuntap.rst.
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from .errors import NoLink

_TUN = Path("/dev/net/tun")
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFDSTADDR = 0x8914, 0x8916, 0x8918
_IFF_UP = 0x1
_NAME = b"link"
# What differs between machines, or from one connection to the next; each namespace has its own.
_SETTINGS = {"tcp_congestion_control": "reno", "tcp_timestamps": "1", "tcp_no_metrics_save": "1"}


class Namespace:
    """A context manager: a namespace whose TUN device has `address`, `peer` at its other end.

    `device` is the TUN device's file descriptor: IPv4 packets, one a read, one a write. NoLink
    where the system does not allow it.
    """

    def __init__(self, address: str, peer: str) -> None:
        self._addresses = address, peer
        self.device = -1

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1)
        try:
            self.call(_unshare)
            self.device = self.call(_tun, *self._addresses)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        if self.device >= 0:
            os.close(self.device)

    def call(self, function: Callable, *arguments: Any, **keywords: Any) -> Any:
        """function(…) inside the namespace; its result or its exception."""
        return self._thread.submit(function, *arguments, **keywords).result()


def _unshare() -> None:
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except AttributeError:
        raise NoLink("the link needs Linux: run this in a Linux machine or container") from None
    if unshare(_CLONE_NEWNET):
        raise NoLink(
            f"a network namespace is not allowed here ({os.strerror(ctypes.get_errno())}): run as "
            "root, or through 'unshare -r', in a container with --cap-add SYS_ADMIN,NET_ADMIN"
        )
    for name, value in _SETTINGS.items():
        try:
            Path("/proc/sys/net/ipv4", name).write_text(value, "utf-8")
        except OSError as error:
            raise NoLink(
                f"net.ipv4.{name} cannot be set in the namespace ({error.strerror}): is /proc/sys "
                "read-only here?"
            ) from None


def _tun(address: str, peer: str) -> int:
    try:
        device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NoLink(
            f"{_TUN} does not open ({error.strerror}): 'modprobe tun', or start the container "
            f"with --device {_TUN}"
        ) from None
    try:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", _NAME, _IFF_TUN | _IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            # The hub's control port is on loopback, which a new namespace has, but down.
            fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
            fcntl.ioctl(sock, _SIOCSIFADDR, _request(address))
            fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH22x", _NAME, _IFF_UP))
            fcntl.ioctl(sock, _SIOCSIFDSTADDR, _request(peer))
    except OSError as error:
        os.close(device)
        raise NoLink(f"a TUN device cannot be set up here ({error.strerror})") from None
    return device


def _request(address: str) -> bytes:
    """struct ifreq with an IPv4 address."""
    return struct.pack("=16sHH4s16x", _NAME, socket.AF_INET, 0, socket.inet_aton(address))
