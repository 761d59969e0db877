"""Who may use the HTTP interface, and how long and large a request may be."""

import asyncio
import hmac
import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
BODY_LIMIT = 64 * 1024
UPLOADS, UPLOAD_LIMIT = "/updates/files", 16 * 1024 * 1024
_DISCARDED = 1024 * 1024  # of a body that is too large, so that the client reads why
_SEND_LIMIT_S = 30.0
DEFECT = (HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of the hub itself")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """A request that gets `status`; the message is one sentence."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def error(status: int, reason: str) -> Response:
    """An error as every path gives it."""
    body = json.dumps({"error": reason})
    return Response(body, status, {"Connection": "close"}, "application/json; charset=utf-8")


class Access:
    """`app` behind checks of Host, Origin and token, which raise nothing.

    `hosts` are the names by which the interface may be called, None for any; `token` is asked for
    unless None. `limit` is the most seconds for a request body; `broken` gets what nobody foresaw.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str] | None,
        token: str | None,
        limit: float,
        broken: Callable[[Exception], None],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token
        self._limit = limit
        self._broken = broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI calls it."""
        started = False

        async def limited_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(_HEADERS)
            async with asyncio.timeout(_SEND_LIMIT_S):
                await send(message)

        try:
            answer = self._checked(scope)
            if answer is None:
                most = UPLOAD_LIMIT if scope["path"] == UPLOADS else BODY_LIMIT
                whole = await _whole_body(receive, self._limit, most)
                await self._app(scope, whole, limited_send)
                return
        except Refused as refused:
            answer = error(refused.status, str(refused))
        except TimeoutError:  # the client does not read
            return
        except Exception as exc:  # whatever it is, the hub's owner hears of it
            self._broken(exc)
            answer = error(*DEFECT)
        if not started:
            await answer(scope, receive, limited_send)

    def _checked(self, scope: Scope) -> Response | None:
        """None for a request that may go on; Refused."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self._hosts is not None and name not in self._hosts:
            raise Refused(
                HTTPStatus.FORBIDDEN, f"the host is not {' or '.join(sorted(self._hosts))}"
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}":
            raise Refused(HTTPStatus.FORBIDDEN, "pages of another origin may not use this hub")
        if self._token is None:
            return None
        if scope["path"] == "/" and (given := _query(scope).get("token")):
            if self._is_token(given[-1]):
                response = Response(None, HTTPStatus.SEE_OTHER, {"Location": "/"})
                response.set_cookie(
                    _cookie_name(scope), self._token, httponly=True, samesite="strict"
                )
                return response
        else:
            bearer = headers.get("authorization", "").removeprefix("Bearer ")
            cookie = cookie_parser(headers.get("cookie", "")).get(_cookie_name(scope), "")
            if self._is_token(bearer) or self._is_token(cookie):
                return None
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "the token is missing or wrong: open the URL that the hub printed",
        )

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self._token or "").encode())


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"))


def _cookie_name(scope: Scope) -> str:
    """A cookie is the host's, whatever the port: hubs side by side have one each."""
    server = scope["server"]
    return f"dynreg-hub-{server[1] if server else 0}"


async def _whole_body(receive: Receive, limit: float, most: int) -> Receive:
    """The request's body, read within time and size; Refused."""
    body, size, more = bytearray(), 0, True
    try:
        async with asyncio.timeout(limit):
            while more and size < most + _DISCARDED:
                message = await receive()
                size += len(message.get("body", b""))
                if size <= most:
                    body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, "the request body did not arrive in time"
        ) from None
    if size > most:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request body is over {most} bytes"
        )
    first = True

    async def given() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": bytes(body), "more_body": False}
        return await receive()

    return given
