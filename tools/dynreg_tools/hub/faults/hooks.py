"""What each layer of the hub asks of the faults that are switched on: one method a hook.

The layers know these methods by a Protocol of their own and nothing of this package. Where no
fault applies a method gives what is right, or None.
"""

import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from dnslib import DNSRecord

from ..http.downloads import Answer
from .active import Faults
from .clock import dump
from .kinds import Fault
from .tcp import between
from .tls import Shown


class Hooks:
    """`shown` says what a service's TLS port shows when all is well."""

    def __init__(self, faults: Faults, shown: Callable[[str], Shown]) -> None:
        self._faults = faults
        self._shown = shown

    def between(
        self, sock: socket.socket, service: str, *, tls: bool
    ) -> AbstractAsyncContextManager[socket.socket]:
        """The socket to serve in the place of `sock`."""
        fault = self._faults.trigger("tcp", service, "tls" if tls else "plain")
        return between(sock, fault.act()) if fault else nullcontext(sock)

    def nodelay(self, service: str) -> bool | None:
        """TCP_NODELAY in the place of the port's own; None where that counts."""
        fault = self._faults.trigger("nodelay", service)
        return fault and fault.act()

    def context(self, service: str) -> ssl.SSLContext | None:
        """Another TLS context than the port's own."""
        fault = self._faults.trigger("tls", service, service)
        return fault and fault.act(self._shown(service))

    def key(self, key: bytes) -> bytes | None:
        """The key of a device that comes with TLS-PSK."""
        fault = self._faults.trigger("psk")
        return fault.kind.act(key) if fault else key

    def change(self) -> Callable[[bytes], list[tuple[float, bytes]]] | None:
        """What makes (seconds to wait, bytes) of the bytes of an HTTP reply."""
        fault = self._faults.trigger("http")
        return fault and fault.act

    def refusal(self) -> tuple[str, str] | None:
        """Code and message of an error in the place of a registration."""
        fault = self._faults.trigger("refuse")
        return fault and fault.act()

    def reply(self, response: dict, secret: str) -> object | None:
        """The body that is sent for a good registration, an object or bytes."""
        fault = self._faults.trigger("reply")
        return fault and fault.kind.act(response, secret)

    def psk_login(self, password: bool) -> bool:
        """Whether a login over TLS-PSK, with or without a password, is refused."""
        on = "password" if password else "no password"
        return self._faults.trigger("psk login", on=on) is not None

    def login_wait(self) -> float:
        """Seconds that a login takes."""
        fault = self._faults.trigger("slow")
        return fault.argument if fault else 0

    def login(self) -> int | None:
        """The CONNACK's code of a login that is refused."""
        fault = self._faults.trigger("login")
        return fault and fault.argument

    def packet(self, frame: bytes) -> list[tuple[float, bytes | None]]:
        """(seconds to wait, frame) in the place of a frame; None for one closes the connection."""
        fault = self._faults.trigger("packet", on=frame[0] >> 4)
        return fault.act(frame) if fault else [(0, frame)]

    def time(self, answer: dict) -> list[tuple[float, bytes]]:
        """(seconds to wait, payload) of an answer to a device's question for the time."""
        fault = self._faults.trigger("time")
        return fault.act(answer) if fault else [(0, dump(answer))]

    def update(self, message: dict) -> dict:
        """What a device is told of an update."""
        fault = self._faults.trigger("update")
        return fault.act(message) if fault else message

    def download(self, data: bytes, wanted: str | None) -> Answer | None:
        """The answer to a device that fetches a file; None for the right one."""
        fault = self._faults.trigger("download")
        return fault and fault.act(data, wanted)

    def ntp(self, packet: bytes) -> list[bytes]:
        """The packets that are sent in the place of an NTP reply."""
        fault = self._faults.trigger("ntp")
        return fault.act(packet) if fault else [packet]

    def dns(self, question: DNSRecord, good: DNSRecord) -> list[tuple[float, bytes]]:
        """(seconds to wait, packet) in the place of a name server's reply."""
        fault: Fault | None = self._faults.trigger("dns")
        return fault.act(question, good) if fault else [(0, bytes(good.pack()))]
