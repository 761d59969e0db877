"""The HTTP and HTTPS gateway: one connection at a time through h11, kept close to the bytes.

Source: protocol section 2 (request) and 3 (reply). What registration means is registration.py's.
"""

import asyncio
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from uuid import uuid4

import h11

from .device_ca import DeviceAuthority
from .refusals import error
from .registration import register
from .rules import REGISTER_PATH
from .store import Store

BODY_LIMIT = 16 * 1024
HEADER_LIMIT = 16 * 1024
IDLE_TIMEOUT = 15.0
_READ = 4096
_SHOWN_PATH = 64


class _Bad(Exception):
    """A request that gets an HTTP status of its own; `over` ends the connection."""

    def __init__(self, status: int, reason: str, *, over: bool = False) -> None:
        super().__init__(reason)
        self.status, self.over = status, over


class Gateway:
    """Serves connections handed to it by a Listener.

    `emit` reports an event, `record` gets the raw bytes of every request, `authority` issues
    device certificates where a product needs them, `idle_timeout` is how many seconds a whole
    request may take to arrive.
    """

    def __init__(
        self,
        store: Store,
        emit: Callable[..., None],
        record: Callable[[bytes], None],
        *,
        time_window: float,
        authority: DeviceAuthority | None = None,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self._store = store
        self._emit = emit
        self._record = record
        self._time_window = time_window
        self._authority = authority
        self._idle_timeout = idle_timeout

    async def serve(
        self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer requests on one connection until either side has had enough."""
        connection = _Connection(reader, writer)
        going = True
        while going:
            try:
                going = await self._exchange(scheme, connection)
            except OSError:  # the peer is gone; TLS reports that in many ways
                return

    async def _exchange(self, scheme: str, connection: "_Connection") -> bool:
        """One request and its reply; whether another may follow."""
        try:
            async with asyncio.timeout(self._idle_timeout):
                request = await connection.request()
            if request is None:
                return False
            self._record(connection.take_raw())
            reply = self._answer(scheme, *request)
        except TimeoutError:
            if raw := connection.take_raw(everything=True):
                self._record(raw)
                self._bad(scheme, _Bad(HTTPStatus.REQUEST_TIMEOUT, "request not complete in time"))
            return False
        except _Bad as bad:
            if bad.over:
                self._record(connection.take_raw(everything=True))
            self._bad(scheme, bad)
            reply = error(HTTPStatus(bad.status).name, str(bad), str(uuid4()))
            return await connection.reply(bad.status, reply, close=bad.over)
        return await connection.reply(HTTPStatus.OK, reply)

    def _answer(self, scheme: str, request: h11.Request, body: bytes) -> dict:
        method = request.method.decode("ascii")
        path = request.target.decode("ascii").partition("?")[0]
        if request.target.decode("ascii") != REGISTER_PATH:
            raise _Bad(HTTPStatus.NOT_FOUND, f"{method} {path[:_SHOWN_PATH]}: no such path")
        if method != "POST":
            raise _Bad(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} {path}: only POST is allowed")
        headers = {
            name.decode("ascii"): value.decode("latin-1") for name, value in request.headers
        }
        reply = register(
            self._store, headers, body, time.time(), self._time_window, self._authority
        )
        self._emit(reply.event, **reply.fields, scheme=scheme)
        return reply.body

    def _bad(self, scheme: str, bad: _Bad) -> None:
        self._emit("http_bad", status=int(bad.status), reason=str(bad), scheme=scheme)


class _Connection:
    """The bytes of one connection, as h11 events one way and replies the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_LIMIT)
        self._raw = bytearray()
        self._head = False

    def take_raw(self, *, everything: bool = False) -> bytes:
        """The bytes of the request just read; all that has come when it is not complete."""
        ahead = 0 if everything else len(self._http.trailing_data[0])
        end = len(self._raw) - ahead
        raw = bytes(self._raw[:end])
        del self._raw[:end]
        return raw

    async def request(self) -> tuple[h11.Request, bytes] | None:
        """The next request with its body, None at the end; _Bad when it is not HTTP."""
        try:
            request = await self._event()
            if not isinstance(request, h11.Request):
                return None
            self._head = request.method == b"HEAD"
            body = bytearray()
            while isinstance(event := await self._event(), h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise _Bad(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"request body is over {BODY_LIMIT} bytes",
                        over=True,
                    )
        except h11.RemoteProtocolError as exc:
            words = str(exc).partition(": b")[0]  # h11 adds the line, which may hold a signature
            raise _Bad(exc.error_status_hint, f"not a request: {words}", over=True) from exc
        return request, bytes(body)

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._writer.write(
                    self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
                )
            data = await self._reader.read(_READ)
            self._raw += data
            self._http.receive_data(data)
        return event

    async def reply(self, status: int, body: dict, *, close: bool = False) -> bool:
        """Send one JSON reply; whether the connection can take another request."""
        text = json.dumps(body, separators=(",", ":")).encode()
        headers = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", str(len(text))),
        ]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        if close:
            headers.append(("Connection", "close"))
        response = h11.Response(
            status_code=status, headers=headers, reason=HTTPStatus(status).phrase
        )
        parts = [response, h11.Data(data=text), h11.EndOfMessage()]
        if self._head:
            del parts[1]
        self._writer.write(b"".join(self._http.send(part) or b"" for part in parts))
        await self._writer.drain()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True
