"""The HTTP interface's paths of updates over the air and remote configuration (docs/hub.md)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..management import Management
from ..rules import HubError
from ..services import Services
from ..store import Device
from .access import UPLOADS
from .fields import Body
from .services import json_response


class UpdateInterface:
    """What each of these paths answers."""

    def __init__(self, management: Management, services: Services) -> None:
        self._management = management
        self._updates = services.updates
        self._configurations = services.configurations

    def routes(self) -> list[Route]:
        """The paths."""
        return [
            Route("/devices/{name}/update", self.update, methods=["PUT", "DELETE"]),
            Route("/devices/{name}/config", self.config, methods=["GET", "PUT", "DELETE"]),
            Route("/updates", self.updates),
            Route(UPLOADS, self.upload, methods=["POST"]),
        ]

    async def upload(self, request: Request) -> Response:
        """Keep a file that devices are to take; the body is the file."""
        data = await request.body()
        return json_response({"md5": self._updates.put(data), "bytes": len(data)})

    async def updates(self, _: Request) -> Response:
        """How the devices stand that have said or were told something."""
        return json_response({"updates": self._updates.rows(self._management.product.id)})

    async def update(self, request: Request) -> Response:
        """Offer a device an uploaded file; DELETE: no more."""
        device = self._device(request)
        if request.method == "DELETE":
            return json_response({"cancelled": self._updates.cancel(device)})
        body = await Body.of(request, "md5", "version", "scheme")
        scheme = body.text("scheme") if body.has("scheme") else "https"
        receivers = self._updates.offer(device, body.text("version"), body.text("md5"), scheme)
        return json_response({"receivers": receivers})

    async def config(self, request: Request) -> Response:
        """A device's remote configuration; PUT pushes one, DELETE takes it away."""
        device = self._device(request)
        if request.method == "DELETE":
            return json_response({"removed": self._configurations.remove(device)})
        if request.method == "PUT":
            body = await Body.of(request, "config")
            configuration = body.object("config")
            if configuration is None:
                raise HubError("config must be a JSON object; DELETE takes it away")
            receivers = self._configurations.push(device, configuration)
            return json_response({"receivers": receivers})
        return json_response({"config": self._configurations.of(device)})

    def _device(self, request: Request) -> Device:
        return self._management.device(request.path_params["name"])
