"""The HTTP interface's paths (docs/hub.md); what they do is management.py's and faults/'s."""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ..database import StoreError
from ..faults import CATALOGUE, FaultError, Faults, parse
from ..management import Management, NoSuchDevice
from ..rules import HubError
from ..services import Services
from .access import DEFECT, error
from .feed import Feed
from .fields import Body
from .services import ServiceInterface, json_response
from .updates import UpdateInterface

_PAGE = Path(__file__).parent
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEYS = {"arg": ":", "times": "*", "service": "@"}

Handler = Callable[[Request], Awaitable[Response]]


class Interface:
    """What each path answers; `about` is of GET /product what never changes."""

    def __init__(
        self,
        management: Management,
        services: Services,
        faults: Faults,
        feed: Feed,
        about: Mapping[str, object],
    ) -> None:
        self._management = management
        self._services = ServiceInterface(management, services)
        self._updates = UpdateInterface(management, services)
        self._faults = faults
        self._feed = feed
        self._about = about

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/product", self.product, methods=["GET", "PUT"]),
            Route("/devices", self.devices, methods=["GET", "POST"]),
            Route("/devices/{name}", self.device, methods=["GET", "PUT", "DELETE"]),
            Route("/devices/{name}/kick", self.kick, methods=["POST"]),
            Route("/devices/{name}/messages", self.send, methods=["POST"]),
            *self._services.routes(),
            *self._updates.routes(),
            Route("/events", self.events),
            Route("/faults", self.faults, methods=["GET", "DELETE"]),
            Route("/faults/{name}", self.fault, methods=["PUT", "DELETE"]),
            *_page(),
        ]
        app = Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: _http_error,
                NoSuchDevice: _answer_with(HTTPStatus.NOT_FOUND),
                StoreError: _answer_with(HTTPStatus.SERVICE_UNAVAILABLE),
                HubError: _answer_with(HTTPStatus.BAD_REQUEST),
                Exception: lambda *_: error(*DEFECT),
            },
        )
        app.router.redirect_slashes = False
        return app

    async def product(self, request: Request) -> Response:
        """The product and the hub's addresses; PUT turns its switches."""
        if request.method == "PUT":
            body = await Body.of(request, "register_type", "register_limit")
            self._management.set_product(
                body.number("register_type", 0, 2),
                body.number("register_limit", 0, 2**31 - 1),
            )
        return json_response({**self._about, **self._management.product_row()})

    async def devices(self, request: Request) -> Response:
        """All devices; POST creates some beforehand."""
        if request.method == "POST":
            body = await Body.of(request, "names")
            created, existing = self._management.precreate(body.texts("names"))
            return json_response({"created": created, "existing": existing})
        return json_response({"devices": self._management.rows()})

    async def device(self, request: Request) -> Response:
        """One device; PUT disables or enables it, DELETE forgets it."""
        name = request.path_params["name"]
        if request.method == "DELETE":
            self._management.delete(name)
            return json_response({"deleted": name})
        if request.method == "PUT":
            body = await Body.of(request, "disabled")
            self._management.set_disabled(name, body.flag("disabled"))
        return json_response(self._management.row(name))

    async def kick(self, request: Request) -> Response:
        """End a device's session."""
        return json_response({"kicked": self._management.kick(request.path_params["name"])})

    async def send(self, request: Request) -> Response:
        """Send a message to a device's topic."""
        body = await Body.of(request, "topic", "payload", "payload_hex", "qos")
        topic, receivers = self._management.send(
            request.path_params["name"],
            body.text("topic"),
            body.payload(),
            body.number("qos", 0, 1) or 0,
        )
        return json_response({"topic": topic, "receivers": receivers})

    async def events(self, request: Request) -> Response:
        """The stream of events: those after a number and those to come; without one the latter."""
        after = request.headers.get("last-event-id", request.query_params.get("after"))
        if after is not None and _NUMBER.fullmatch(after) is None:
            raise HubError("after is not the number of an event")
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        stream = self._feed.stream(None if after is None else int(after))
        return StreamingResponse(stream, media_type="text/event-stream")

    async def faults(self, request: Request) -> Response:
        """All faults and those that are on; DELETE switches all off."""
        if request.method == "DELETE":
            return json_response({"off": self._faults.clear()})
        known = [kind.row() for kind in CATALOGUE.values()]
        return json_response({"active": self._faults.active(), "known": known})

    async def fault(self, request: Request) -> Response:
        """Switch a fault on (PUT) or off."""
        name = request.path_params["name"]
        if request.method == "PUT":
            spec = _spec(name, request.scope["query_string"].decode("latin-1"))
            return json_response({"on": self._faults.add(spec).row()})
        if name not in CATALOGUE:
            parse(name)  # says which names are near
        return json_response({"off": self._faults.clear(name)})


def _page() -> list[Route]:
    """The files of the page, "/" for its HTML."""
    files = {path.name: path for path in _PAGE.iterdir() if path.suffix in _TYPES}
    if "index.html" in files:
        files[""] = files.pop("index.html")

    def route(name: str, path: Path) -> Route:
        async def file(_: Request) -> Response:
            return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

        return Route(f"/{name}", file)

    return [route(name, path) for name, path in files.items()]


def _spec(name: str, query: str) -> str:
    """NAME[@SERVICE][:ARG][*TIMES] of a path and its query."""
    values = {key: found[-1] for key, found in parse_qs(query, keep_blank_values=True).items()}
    if unknown := set(values) - set(_KEYS):
        raise FaultError(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(_KEYS)}")
    marks = [(values[key], _KEYS[key]) for key in ("service", "arg", "times") if key in values]
    return name + "".join(mark + value for value, mark in marks)


def _answer_with(status: int) -> Callable[[Request, Exception], Response]:
    return lambda _, exc: error(status, str(exc))


def _http_error(request: Request, exc: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(exc, HTTPException)
    if exc.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return error(
            exc.status_code, f"there is no {request.scope['path'][:64]!r}; see docs/hub.md"
        )
    allowed = ", ".join(sorted((exc.headers or {}).get("Allow", "").split(", ")))
    response = error(exc.status_code, f"this path takes {allowed} only")
    response.headers["Allow"] = allowed
    return response
