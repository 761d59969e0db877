"""What asks a running hub: finds it, speaks its HTTP interface; the standard library alone."""

from __future__ import annotations

import argparse
import http.client
import json
import os
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import ToolError
from ..printable import clean
from . import hub_places
from .hub_places import Place

VARIABLE = "DYNREG_HUB"
_TIMEOUT_S = 15.0
_CLIENT_ERROR = 400


class NoHubError(ToolError):
    """Nothing answers there; the message says where."""


class Client:
    """Asks the hub at `place`; every error is a ToolError."""

    def __init__(self, place: Place) -> None:
        self.url = place.url
        self._headers = {"Authorization": f"Bearer {place.token}"} if place.token else {}

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        data: bytes | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON; ToolError with the hub's own sentence where it says no.

        data: the request's body, where that is no JSON.
        """
        connection, response = self.open(method, path, body, data)
        try:
            answer = json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException):
            raise NoHubError(f"what answers at {self.url} is no hub") from None
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise NoHubError(f"what answers at {self.url} is no hub")
        if response.status >= _CLIENT_ERROR:
            raise ToolError(clean(str(answer.get("error", f"the hub says {response.status}"))))
        return answer

    def open(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        data: bytes | None = None,
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """The connection and the answer's head, for a stream; no proxy is asked."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT_S)
        headers = {**self._headers, "Content-Type": "application/json"}
        if body is not None:
            data = json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers)
            return connection, connection.getresponse()
        except http.client.HTTPException as error:
            connection.close()
            raise NoHubError(f"what answers at {self.url} is no hub") from error
        except OSError as error:
            connection.close()
            raise NoHubError(f"no hub answers at {self.url}: {error.strerror or error}") from error


def device_path(name: str, rest: str = "") -> str:
    """The path of a device."""
    return f"/devices/{quote(name, safe='')}{rest}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """--hub and --json, which every sub-command has."""
    parser.add_argument(
        "--hub",
        metavar="URL",
        default=os.environ.get(VARIABLE),
        help=f"the URL that the hub printed (default: ${VARIABLE}, else the one that runs here)",
    )
    # What stands before the sub-command, `dynreg hub --json devices`, holds too.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON")


def client(options: argparse.Namespace) -> Client:
    """The hub that the options mean; ToolError where it is none, or not clear which."""
    if options.hub:
        return Client(hub_places.parsed(options.hub))
    running = [place for place in hub_places.known() if _is_alive(place)]
    if not running:
        raise ToolError(
            "no hub runs here: start one with `dynreg hub`, or name one with --hub URL"
        )
    if len(running) > 1:
        several = ", ".join(f"{place.url} ({place.product_id})" for place in running)
        raise ToolError(f"several hubs run here, name one with --hub or {VARIABLE}: {several}")
    return Client(running[0])


def _is_alive(place: Place) -> bool:
    """Whether the hub of a file still runs; the file of one that was killed goes."""
    try:
        if Client(place).ask("GET", "/product").get("product_id") == place.product_id:
            return True
    except NoHubError as error:
        if isinstance(error.__cause__, TimeoutError):  # stopped by Ctrl-Z, perhaps
            return True
    except ToolError:  # another one's, for which the token is no good
        pass
    if place.file:
        place.file.unlink(missing_ok=True)
    return False
