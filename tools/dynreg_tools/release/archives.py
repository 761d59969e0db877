"""The wheel and the sdist: built, and what is in them."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .steps import ReleaseError, command

_SECRETS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "a SecretId of Tencent Cloud": re.compile(rb"\bAKID[A-Za-z0-9]{32}\b"),
    "a token": re.compile(rb"\b(?:pypi-AgEI|gh[pousr]_)[A-Za-z0-9_-]{20}"),
}


def build(tools: Path, root: Path, out: Path, environment: dict[str, str]) -> tuple[Path, Path]:
    """The wheel, built from the sdist, and the sdist, by PyPA's build, in isolation."""
    command(tools, "-m", "build", "--outdir", out, root, cwd=root, environment=environment)
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def wheel_files(path: Path) -> dict[str, bytes]:
    """{name: content}."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_files(path: Path) -> dict[str, bytes]:
    """{name below the one folder: content}. ReleaseError for a file outside of it, or a link."""
    top = path.name.removesuffix(".tar.gz") + "/"
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or not member.name.startswith(top):
                raise ReleaseError(f"{path.name}: {member.name} is no file below {top}")
            found[member.name.removeprefix(top)] = content.read()
    return found


def expected_in_wheel(tracked: Iterable[str], name: str, target: dict[str, Any]) -> set[str]:
    """Of the repository's files those that a wheel has, under the names that it has for them.

    target: [tool.hatch.build.targets.wheel] of pyproject.toml.
    """
    places = {path: path.rpartition("/")[2] for path in target["packages"]}
    places |= target["force-include"]
    found = {f"{name}.dist-info/{one}" for one in ("METADATA", "WHEEL", "RECORD")}
    found |= {f"{name}.dist-info/entry_points.txt", f"{name}.dist-info/licenses/LICENSE"}
    for path in tracked:
        for source, place in places.items():
            if path == source or path.startswith(f"{source}/"):
                found.add(place + path.removeprefix(source))
    return found


def same_names(what: str, has: Iterable[str], wanted: Iterable[str]) -> str:
    """ReleaseError where an archive has a file too many or too few."""
    has, wanted = set(has), set(wanted)
    faults = [f"{what} holds {name}, which does not belong there" for name in sorted(has - wanted)]
    faults += [f"{what} lacks {name}" for name in sorted(wanted - has)]
    if faults:
        raise ReleaseError("\n".join(faults[:10]))
    return f"{len(has)} files in the {what}"


def no_secrets(files: dict[str, bytes], template: str, places: Iterable[Path]) -> str:
    """ReleaseError where a file holds what only this machine or its owner may know.

    template: the name of device_info.json in it; places: folders whose names no file may hold.
    """
    for name, content in files.items():
        for what, pattern in _SECRETS.items():
            if pattern.search(content):
                raise ReleaseError(f"{name} holds {what}: take it away, and call it back")
        for place in places:
            if f"{place}/".encode() in content:
                raise ReleaseError(f"{name} holds a path of this machine, {place}")
    batch = json.loads(files[template])
    if not re.fullmatch(r"[A-Z_]+", batch["productSecret"]):
        raise ReleaseError(f"{template}: its productSecret is no placeholder")
    if batch["key_deviceinfo"]["deviceSecret"] != "YOUR_DEVICE_SECRET":
        raise ReleaseError(f"{template}: its deviceSecret is no placeholder")
    return "no key, token or path of this machine in them"


def same_bytes(one: dict[str, bytes], other: dict[str, bytes]) -> str:
    """ReleaseError where two builds differ."""
    differ = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    if differ:
        raise ReleaseError(f"a second build differs in {', '.join(differ[:5])}")
    return f"{len(one)} files, the same bytes twice"
