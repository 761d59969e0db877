"""HTTP/1.1 on one connection: requests through h11, replies in JSON, kept close to the bytes."""

import asyncio
import json
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus

import h11

BODY_LIMIT = 16 * 1024
HEADER_LIMIT = 16 * 1024
_RAW_LIMIT = 64 * 1024  # of a request with all that chunks bring beside the body
_WRITE_TIMEOUT = 10.0  # seconds for a peer to make room for a reply
_READ = 4096
_JSON = (("Content-Type", "application/json; charset=utf-8"),)

Change = Callable[[bytes], list[tuple[float, bytes]]]


class HttpError(Exception):
    """A request that gets an HTTP status of its own; `over` ends the connection."""

    def __init__(self, status: int, reason: str, *, over: bool = False) -> None:
        super().__init__(reason)
        self.status, self.over = status, over


class Connection:
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
        """The next request with its body, None at the end; HttpError when it is not HTTP."""
        self._head = False  # not that of the request before
        try:
            request = await self._event()
            if not isinstance(request, h11.Request):
                return None
            self._head = request.method == b"HEAD"
            body = bytearray()
            while isinstance(event := await self._event(), h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT:
                    raise HttpError(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"request body is over {BODY_LIMIT} bytes",
                        over=True,
                    )
        except h11.RemoteProtocolError as exc:
            words = str(exc).partition(": b")[0]  # h11 adds the line, which may hold a signature
            raise HttpError(exc.error_status_hint, f"not a request: {words}", over=True) from exc
        return request, bytes(body)

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._writer.write(
                    self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
                )
            data = await self._reader.read(_READ)
            self._raw += data
            if len(self._raw) > _RAW_LIMIT:
                raise HttpError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"request is over {_RAW_LIMIT} bytes",
                    over=True,
                )
            self._http.receive_data(data)
        return event

    async def reply(
        self,
        status: int,
        body: object,
        *,
        close: bool = False,
        change: Change | None = None,
        headers: Sequence[tuple[str, str]] = _JSON,
    ) -> bool:
        """Send one JSON reply (bytes as they are); whether another request may come.

        `headers` are those beside Date and Content-Length. `change` makes (seconds to wait, bytes)
        of the whole reply, for a fault; then it is over.
        """
        text = body if isinstance(body, bytes) else _compact(body)
        sent = [
            ("Date", formatdate(usegmt=True)),
            *headers,
            ("Content-Length", str(len(text))),
        ]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            sent.append(("Allow", "POST"))
        if close:
            sent.append(("Connection", "close"))
        response = h11.Response(status_code=status, headers=sent, reason=HTTPStatus(status).phrase)
        parts = [response, h11.Data(data=text), h11.EndOfMessage()]
        if self._head:
            del parts[1]
        raw = b"".join(self._http.send(part) or b"" for part in parts)
        for wait, piece in [(0, raw)] if change is None else change(raw):
            await asyncio.sleep(wait)
            self._writer.write(piece)
            async with asyncio.timeout(_WRITE_TIMEOUT):
                await self._writer.drain()
        if change is not None:
            return False
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True


def _compact(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
