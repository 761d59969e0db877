"""The control port: switching faults while the hub runs, by HTTP on loopback only.

GET /faults                                       {"active": […], "known": […]}
PUT /faults/NAME?arg=…&times=…&service=…          switch one on
DELETE /faults/NAME, DELETE /faults               switch one, or all, off
"""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from ..faults import CATALOGUE, FaultError, Faults, parse
from .connection import Connection, HttpError

HOST = "127.0.0.1"
_HOSTS = ("127.0.0.1", "localhost")  # no web page of elsewhere may reach in by a name of its own
_ROOT = "/faults"
_KEYS = {"arg": ":", "times": "*", "service": "@"}


class Control:
    """Serves connections handed to it by a Listener."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection."""
        connection = Connection(reader, writer)
        going = True
        with suppress(OSError):
            while going:
                going = await self._exchange(connection)

    async def _exchange(self, connection: Connection) -> bool:
        status, over = HTTPStatus.OK, False
        try:
            request = await connection.request()
            if request is None:
                return False
            host = dict(request[0].headers).get(b"host", b"").decode("latin-1")
            if host.rpartition(":")[0] not in _HOSTS:
                raise HttpError(HTTPStatus.FORBIDDEN, f"this port is for {' and '.join(_HOSTS)}")
            body = self._answer(request[0].method.decode(), request[0].target.decode("latin-1"))
        except HttpError as bad:
            status, body, over = bad.status, {"error": str(bad)}, bad.over
        except FaultError as exc:
            status, body = HTTPStatus.BAD_REQUEST, {"error": str(exc)}
        return await connection.reply(status, body, close=over)

    def _answer(self, method: str, target: str) -> dict:
        url = urlsplit(target)
        root, _, name = unquote(url.path).partition(_ROOT)
        name = name.strip("/")
        if root or not url.path.startswith(_ROOT):
            raise HttpError(HTTPStatus.NOT_FOUND, f"only {_ROOT} and {_ROOT}/NAME are here")
        match method:
            case "GET" if not name:
                known = [kind.row() for kind in CATALOGUE.values()]
                return {"active": self._faults.active(), "known": known}
            case "PUT" if name:
                return {"on": self._faults.add(_spec(name, url.query)).row()}
            case "DELETE":
                if name and name not in CATALOGUE:
                    parse(name)  # says which names are near
                return {"off": self._faults.clear(name or None)}
        raise HttpError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"GET {_ROOT}, PUT {_ROOT}/NAME, DELETE {_ROOT} or DELETE {_ROOT}/NAME",
        )


def _spec(name: str, query: str) -> str:
    """NAME[@SERVICE][:ARG][*TIMES] of a path and its query."""
    values = {key: found[-1] for key, found in parse_qs(query, keep_blank_values=True).items()}
    if unknown := set(values) - set(_KEYS):
        raise FaultError(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(_KEYS)}")
    marks = [(values[key], _KEYS[key]) for key in ("service", "arg", "times") if key in values]
    return name + "".join(mark + value for value, mark in marks)
