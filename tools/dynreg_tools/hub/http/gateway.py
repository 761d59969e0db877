"""The HTTP and HTTPS gateway: requests to register, and for files, one connection at a time.

Source: protocol section 2 (request) and 3 (reply). What registration means is registration.py's,
what is sent of a file downloads.py's.
"""

import asyncio
import time
from http import HTTPStatus
from typing import Protocol
from uuid import uuid4

import h11

from ..events import Journal
from ..limits import Limits
from ..rules import OLD_REGISTER_PATH, REGISTER_PATH
from ..store import Store
from ..tls.device_ca import DeviceAuthority
from .connection import Change, Connection, HttpError
from .downloads import Answer, Downloads
from .refusals import error
from .registration import old_reply, refusal, register

_SHOWN_PATH = 64
_FILE = ("Content-Type", "application/octet-stream")


class GatewayFaults(Protocol):
    """What may go wrong on purpose in a reply."""

    def change(self) -> Change | None:
        """What makes (seconds to wait, bytes) of the bytes of a reply."""
        ...

    def refusal(self) -> tuple[str, str] | None:
        """Code and message of an error in the place of a registration."""
        ...

    def reply(self, response: dict, secret: str) -> object | None:
        """The body in the place of that of a good registration."""
        ...


class Gateway:
    """Serves connections handed to it by a Listener.

    `faults` is what goes wrong on purpose, `authority` issues device certificates where a product
    needs them.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        limits: Limits,
        faults: GatewayFaults,
        downloads: Downloads,
        authority: DeviceAuthority | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._limits = limits
        self._faults = faults
        self._downloads = downloads
        self._authority = authority

    async def serve(
        self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer requests on one connection until either side has had enough."""
        connection = Connection(reader, writer)
        going = True
        while going:
            try:
                going = await self._exchange(scheme, connection)
            except OSError:  # the peer is gone; TLS reports that in many ways
                return

    async def _exchange(self, scheme: str, connection: Connection) -> bool:
        """One request and its reply; whether another may follow."""
        try:
            async with asyncio.timeout(self._limits.idle_timeout):
                request = await connection.request()
            if request is None:
                return False
            self._journal.note_request(connection.take_raw())
            found = self._file(request[0])
            reply = {} if found else self._answer(scheme, *request)
        except TimeoutError:
            if raw := connection.take_raw(everything=True):
                self._journal.note_request(raw)
                self._bad(
                    scheme, HttpError(HTTPStatus.REQUEST_TIMEOUT, "request not complete in time")
                )
            return False
        except HttpError as bad:
            if bad.over:
                self._journal.note_request(connection.take_raw(everything=True))
            self._bad(scheme, bad)
            reply = error(HTTPStatus(bad.status).name, str(bad), str(uuid4()))
            return await connection.reply(
                bad.status, reply, close=bad.over, change=self._faults.change()
            )
        if found:
            change = found.change or self._faults.change()
            headers = (_FILE, *found.headers)
            return await connection.reply(found.status, found.body, change=change, headers=headers)
        await asyncio.sleep(self._limits.reply_ms / 1000)
        return await connection.reply(HTTPStatus.OK, reply, change=self._faults.change())

    def _file(self, request: h11.Request) -> Answer | None:
        """The answer to a GET for a file; None for every other request."""
        if request.method != b"GET":
            return None
        headers = {bytes(name): bytes(value) for name, value in request.headers}
        wanted = headers.get(b"range")
        target = request.target.decode("ascii")
        return self._downloads.get(target, wanted.decode("latin-1") if wanted else None)

    def _answer(self, scheme: str, request: h11.Request, body: bytes) -> object:
        method = request.method.decode("ascii")
        target = request.target.decode("ascii")
        path, old = target.partition("?")[0], target == OLD_REGISTER_PATH
        if target != REGISTER_PATH and (not old or self._limits.strict):
            raise HttpError(HTTPStatus.NOT_FOUND, f"{method} {path[:_SHOWN_PATH]}: no such path")
        if method != "POST":
            raise HttpError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"{method} {path}: only POST is allowed"
            )
        headers = {
            name.decode("ascii"): value.decode("latin-1") for name, value in request.headers
        }
        if refused := self._faults.refusal():
            reply = refusal(*refused)
        else:
            reply = register(
                self._store,
                None if old else headers,
                body,
                time.time(),
                self._limits,
                self._authority,
            )
        self._journal.emit(reply.event, **reply.fields, scheme=scheme)
        good = old_reply(reply.body) if old else reply.body
        if reply.event != "registered":
            return good
        product = self._store.product(reply.fields["product_id"])
        if product is None:
            return good
        other = self._faults.reply(reply.body["Response"], product.secret)
        return good if other is None else other

    def _bad(self, scheme: str, bad: HttpError) -> None:
        self._journal.emit("http_bad", status=int(bad.status), reason=str(bad), scheme=scheme)
