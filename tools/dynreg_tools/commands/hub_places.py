"""Where hubs run: a private file for each, which the hub writes and the commands find."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..errors import ToolError
from ..files import PRIVATE, write


@dataclass(frozen=True, slots=True)
class Place:
    """A hub's base URL and its token; `product_id` and `file` where a hub's file says it."""

    url: str
    token: str | None = None
    product_id: str | None = None
    file: Path | None = None


def folder() -> Path:
    """The user's own folder for them."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME")
    return Path(runtime or Path.home() / ".cache") / "dynreg" / "hubs"


@contextmanager
def announced(workbench: str, product_id: str) -> Iterator[None]:
    """Says while the block runs that a hub is here; a hub that cannot say so runs all the same.

    The file's name is the address: another hub at the same one takes the place of a dead one's.
    """
    found = parsed(workbench)
    content = json.dumps({"workbench": workbench, "product_id": product_id, "pid": os.getpid()})
    path = None
    with suppress(OSError, RuntimeError):  # no home, a full disk
        path = folder() / (re.sub(r"[^\w.-]+", "_", urlsplit(found.url).netloc) + ".json")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(path, content, PRIVATE)
    try:
        yield
    finally:
        with suppress(OSError):
            if path is not None and path.read_text("utf-8") == content:
                path.unlink()


def known() -> list[Place]:
    """All hubs that have said so, those that were killed too."""
    places = []
    with suppress(OSError, RuntimeError):
        if hasattr(os, "getuid") and folder().stat().st_uid != os.getuid():
            return []
        for path in sorted(folder().glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError, ToolError):
                content = json.loads(path.read_text("utf-8"))
                place = parsed(content["workbench"])
                places.append(Place(place.url, place.token, str(content["product_id"]), path))
    return places


def parsed(text: str) -> Place:
    """The hub of a URL as it was printed, with its token or without; ToolError."""
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        if url.scheme == "http" and url.hostname and url.port:
            token = parse_qs(url.query).get("token", [None])[-1]
            return Place(f"http://{url.netloc}", token)
    except ValueError:
        pass
    raise ToolError(f"{text!r} is not the URL of a hub, such as http://127.0.0.1:8446")
