"""The HTTP interface's paths of the services (docs/hub.md); what they do is services/'s."""

from __future__ import annotations

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..events import shown_payload
from ..management import Management
from ..services import Services
from ..services.rrpc import MOST_S, USUAL_S
from .fields import Body


class ServiceInterface:
    """What each of these paths answers."""

    def __init__(self, management: Management, services: Services) -> None:
        self._management = management
        self._services = services

    def routes(self) -> list[Route]:
        """The paths."""
        return [
            Route("/broadcast", self.broadcast, methods=["POST"]),
            Route("/devices/{name}/calls", self.call, methods=["POST"]),
            Route("/devices/{name}/actions/{action}", self.act, methods=["POST"]),
            Route("/devices/{name}/thing", self.thing, methods=["GET", "PUT"]),
            Route("/devices/{name}/shadow", self.shadow, methods=["GET", "PUT"]),
        ]

    async def call(self, request: Request) -> Response:
        """Call a device and wait for its answer."""
        device = self._management.device(request.path_params["name"])
        body = await Body.of(request, "payload", "payload_hex", "timeout")
        called = await self._services.calls.call(device, body.payload(), _seconds(body))
        return json_response(
            {
                "process_id": called.process_id,
                "receivers": called.receivers,
                "payload": None if called.answer is None else shown_payload(called.answer),
                "ms": round(called.seconds * 1000),
            }
        )

    async def broadcast(self, request: Request) -> Response:
        """Send a message to all devices."""
        body = await Body.of(request, "payload", "payload_hex")
        product_id = self._management.product.id
        receivers = self._services.broadcasts.send(product_id, body.payload())
        return json_response({"receivers": receivers})

    async def shadow(self, request: Request) -> Response:
        """A device's shadow; PUT changes what is desired."""
        device = self._management.device(request.path_params["name"])
        if request.method == "PUT":
            body = await Body.of(request, "desired", "version")
            version = body.number("version", 1, 2**53) or 0
            document = self._services.shadows.desire(device, body.object("desired"), version)
        else:
            document = self._services.shadows.document(device)
        return json_response({**asdict(document), "delta": document.delta})

    async def thing(self, request: Request) -> Response:
        """What a device has reported by its data template; PUT sets properties."""
        device = self._management.device(request.path_params["name"])
        if request.method == "GET":
            return json_response(asdict(self._services.things.thing(device)))
        body = await Body.of(request, "params", "timeout")
        params, seconds = body.object("params") or {}, _seconds(body)
        return json_response(asdict(await self._services.things.control(device, params, seconds)))

    async def act(self, request: Request) -> Response:
        """Have a device do something."""
        device = self._management.device(request.path_params["name"])
        body = await Body.of(request, "params", "timeout")
        done = await self._services.things.act(
            device, request.path_params["action"], body.object("params") or {}, _seconds(body)
        )
        return json_response(asdict(done))


def _seconds(body: Body) -> float:
    return body.number("timeout", 1, int(MOST_S)) or USUAL_S


def json_response(value: object) -> Response:
    """An answer of the HTTP interface."""
    return Response(json.dumps(value), media_type="application/json; charset=utf-8")
