"""A board's identity in a file: mode 0600, in a folder of mode 0700, the secret in clear."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import files
from . import answers
from .errors import BoardError

_FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """What makes a board itself. files: path on the board -> bytes. nvs: the record, or None.

    repr() has no secret in it.
    """

    mac: str
    owner: str | None
    files: dict[str, bytes]
    nvs: bytes | None

    def __repr__(self) -> str:
        return f"Identity({self.mac}, {self.owner})"


def file_path(folder: str | Path, mac: str) -> Path:
    """The file of the board with this MAC (hex digits). BoardError: never one elsewhere."""
    if not answers.mac(mac) or ":" in mac:
        raise BoardError("board.answer", f"{mac}: is no MAC, by which a file could be named")
    return Path(folder) / f"{mac}.json"


def save(folder: str | Path, identity: Identity) -> Path:
    """Writes the file and reads it back. An older, other one of the board stays beside it.

    A folder that is not there is made, for its owner alone. BoardError "identity.file".
    """
    path = file_path(folder, identity.mac)
    try:
        _make_folder(path.parent)
        if path.exists() and not _holds(path, identity):
            path.rename(path.with_suffix(f".{int(path.stat().st_mtime)}.json"))
        files.write(path, json.dumps(_packed(identity), indent=1), files.PRIVATE)
    except OSError as error:
        raise BoardError("identity.file", f"{path}: cannot be written: {error.strerror}") from None
    if load(path) != identity:
        raise BoardError("identity.file", f"{path}: does not read back: use another disk")
    return path


def load(path: str | Path) -> Identity:
    """What save() wrote. BoardError."""
    packed: Any = {}
    try:
        packed = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise BoardError(
            "identity.file", f"{path}: no such file: this board's identity was not saved there"
        ) from None
    except (OSError, ValueError):
        pass  # nothing of it is there
    try:
        if packed["format"] != _FORMAT:
            raise ValueError
        on_board = {
            name: base64.b64decode(text, validate=True) for name, text in packed["files"].items()
        }
        nvs = packed["nvs"] and base64.b64decode(packed["nvs"], validate=True)
        found = Identity(packed["mac"], packed["owner"], on_board, nvs)
        if _packed(found)["sha256"] != packed["sha256"]:
            raise ValueError
        return found
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BoardError(
            "identity.file", f"{path}: is no saved identity, or a damaged one: take a backup of it"
        ) from None


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        (folder / ".gitignore").write_text("*\n", "utf-8")
    elif os.name == "posix" and folder.stat().st_mode & 0o077:
        raise BoardError(
            "identity.file",
            f"{folder}: others may look into it: name a folder that is not there yet, or chmod "
            "700 it",
        )


def _holds(path: Path, identity: Identity) -> bool:
    try:
        return load(path) == identity
    except BoardError:
        return False


def _packed(identity: Identity) -> dict:
    def text(data: bytes) -> str:
        return base64.b64encode(data).decode()

    packed = {
        "mac": identity.mac,
        "owner": identity.owner,
        "files": {name: text(data) for name, data in sorted(identity.files.items())},
        "nvs": text(identity.nvs) if identity.nvs is not None else None,
    }
    return {
        "what": "a dynreg board's identity: secret, keep it as you keep the board",
        "format": _FORMAT,
        "saved": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "sha256": hashlib.sha256(json.dumps(packed).encode()).hexdigest(),
        **packed,
    }
