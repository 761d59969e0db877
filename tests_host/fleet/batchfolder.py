"""A batch's folder without a hub, and deploys onto boards from inside the test."""

import json
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path

from dynreg_tools import sources
from dynreg_tools.boards import apply, batch, content, plan
from dynreg_tools.boards.link import Link


def make_info(folder: Path, **changes) -> dict:
    """device_info.json with everything filled in; what it names answers to nobody."""
    values = json.loads((sources.ROOT / "device_info.json").read_text())
    values.update(productId="ABCDEFGHIJ", productSecret=secrets.token_urlsafe(15))
    values["endpoint"] = {"gateway": "https://localhost:1", "mqtt": "mqtts://localhost:1"}
    del values["wifi"]
    values |= changes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "device_info.json").write_text(json.dumps(values, indent=2))
    return values


def content_of(folder: Path, app=None, source=False, force=False) -> content.Content:
    """What folder has for boards."""
    read = batch.read(folder / "device_info.json")
    return content.read(read, content.Options(app, source, force=force))


def blank(port="port", mpy=6, frozen=None, **found) -> plan.Inventory:
    """The inventory of a board that holds nothing, but what is given."""
    board = {"mac": "24:6f:28:00:00:01", "device": None, "mpy": mpy, "frozen": frozen}
    return plan.Inventory(port, board, **{"hashes": {}, **found})


def files_of(what: content.Content) -> dict:
    """All that a board holds after a deploy, but device_info.json."""
    return plan.plan(what, blank()).files


def deploy(port: str, what: content.Content, dry_run=False) -> dict:
    """A deploy over a link of its own; the board stays at its prompt or starts its program."""
    with Link(port) as link:
        planned = plan.plan(what, apply.take_inventory(link, what))
        if not dry_run:
            apply.apply(link, planned)
        return planned.report


@contextmanager
def library(monkeypatch, root: Path):
    """While inside, lib/, boot.py and main.py are those below root."""
    with monkeypatch.context() as patch:
        patch.setattr(sources, "ROOT", root)
        patch.setattr(sources, "LIB", root / "lib")
        yield


def copy_of_library(root: Path) -> Path:
    """A copy of what goes onto boards, to be changed."""
    shutil.copytree(sources.LIB, root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("boot.py", "main.py", "device_info.json"):
        shutil.copy(sources.ROOT / name, root)
    return root
