"""What a fault does to whole ports: refused, silent, restarted; the captive portal."""

import asyncio
import socket
from collections.abc import Mapping

from .faults import Fault, FaultError
from .faults.dns import PORTAL
from .faults.kinds import SERVICES
from .listener import Listener
from .tls import certificates
from .tls.context import server_context

_NAME = "login.portal.test"
_FOUND = (
    f"HTTP/1.1 302 Found\r\nLocation: http://{_NAME}/\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n"
).encode()
_READ = 4096


class Ports:
    """Does to `listeners` (by port name) what a fault that is switched on or off asks for."""

    def __init__(self, listeners: Mapping[str, Listener]) -> None:
        self._listeners = listeners
        self._portal: list[Listener] = []
        self._closing: set[asyncio.Task] = set()

    def switched(self, fault: Fault, on: bool) -> None:
        """Called by Faults; FaultError where this machine cannot do it."""
        name = fault.kind.name
        if name in ("tcp-refuse", "tcp-ignore", "tcp-restart"):
            for listener in self._listeners.values():
                if fault.service not in (None, listener.service):
                    continue
                if on and name == "tcp-ignore":
                    listener.ignore()
                elif on:
                    listener.refuse(reset=name == "tcp-restart")
                else:
                    listener.listen()
        elif name == "dns-portal":
            if on:
                self._open_portal()
            else:
                task = asyncio.create_task(self.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    def _open_portal(self) -> None:
        unknown_ca = certificates.new_authority("ec")
        shown = server_context(certificates.server_certificate(unknown_ca, [_NAME], "ec"))
        for listener in self._listeners.values():
            if listener.service not in SERVICES:
                continue
            try:
                sock = socket.create_server((PORTAL, listener.port))
            except OSError as exc:
                raise FaultError(f"dns-portal cannot listen on {PORTAL}: {exc.strerror}") from exc
            context = shown if listener.context else None
            self._portal.append(
                Listener(
                    sock, _to_login_page, context=context, tls_failed=_unheard, broken=_unheard
                )
            )

    async def close(self) -> None:
        """Close the portal, if it is open."""
        portal, self._portal = self._portal, []
        for listener in portal:
            await listener.close()


async def _to_login_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(_READ)
    writer.write(_FOUND)


def _unheard(_: object) -> None:
    """What goes wrong at a portal is no matter of the hub's."""
