"""A batch's folder without a hub, and deploys onto boards from inside the test."""

import json
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path

from dynreg_tools import sources
from dynreg_tools.boards import apply, batch, plan
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


def plan_of(folder: Path, app=None, source=False):
    """(plan, batch) of folder, for a board that loads .mpy version 6."""
    read = batch.read(folder / "device_info.json")
    return plan.make(read, 6, app, source), read


def deploy(port: str, wanted, dry_run=False) -> dict:
    """apply() over a link of its own; the board stays at its prompt or starts its program."""
    with Link(port) as link:
        return apply.apply(link, *wanted, apply.identify(link), dry_run)


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
