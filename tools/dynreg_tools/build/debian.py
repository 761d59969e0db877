"""Debian's packages for another architecture, unpacked into a folder: no root, nothing installed.

apt works on lists and a configuration of its own; from this machine's it takes the Debian mirror
and the key that signs it. What it downloads it checks against the mirror's signed list. And the
interpreter must be the very file that interpreters.toml pins, as the figures are its; of the
libraries a newer point release will do, but a file of a pinned name has its hash.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import InterpreterError

SOURCES = Path("/etc/apt")
_APT_S = 180
_MULTIARCH = {"i386": "i386-linux-gnu", "amd64": "x86_64-linux-gnu"}
_LOADERS = {"i386": "ld-linux.so.2", "amd64": "ld-linux-x86-64.so.2"}
# By the package's own loader and libraries, wherever the folder is moved to; one process, no more.
_WRAPPER = """\
#!/bin/sh
here=${{0%/*}}
[ "$here" = "$0" ] && here=.
exec "$here/unpacked/{libraries}/{loader}" --library-path "$here/unpacked/{libraries}" \\
    "$here/unpacked/usr/bin/micropython" "$@"
"""


@dataclass(frozen=True, slots=True)
class Packages:
    """suite, architecture: as apt has them. files: of each package, with its SHA-256.

    The first of them is what the others are for.
    """

    suite: str
    architecture: str
    files: dict[str, str]

    @property
    def interpreter(self) -> str:
        return next(iter(self.files))


_CONFIGURATION = """\
#clear APT::Architectures;
#clear APT::Update;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-";
Dir::Etc::PreferencesParts "-";
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/state/lists";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
"""


@dataclass(frozen=True, slots=True)
class Mirror:
    """signed_by: the file of its keys; "" where apt's own list of trusted keys is meant."""

    uri: str
    signed_by: str

    def line(self, packages: Packages) -> str:
        options = f"arch={packages.architecture}"
        if self.signed_by:
            options += f" signed-by={self.signed_by}"
        return f"deb [{options}] {self.uri} {packages.suite} main\n"


def install(packages: Packages, folder: Path, scratch: Path) -> str:
    """Unpacks packages into folder/unpacked; the script, to lie in folder, that runs MicroPython.

    InterpreterError as unpack().
    """
    libraries = f"usr/lib/{_MULTIARCH[packages.architecture]}"
    unpack(packages, scratch / "root", scratch)
    # Nothing but what it runs by: the C library brings character sets and much more.
    for keep in ("usr/bin/micropython", libraries):
        (folder / "unpacked" / keep).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scratch / "root" / keep, folder / "unpacked" / keep)
    shutil.rmtree(folder / "unpacked" / libraries / "gconv", ignore_errors=True)
    return _WRAPPER.format(libraries=libraries, loader=_LOADERS[packages.architecture])


def unpack(packages: Packages, root: Path, scratch: Path) -> None:
    """Downloads packages through apt and unpacks them below root; scratch is an empty folder.

    InterpreterError where this machine has no apt, no x86 or no network, or apt no Debian mirror.
    """
    if platform.machine() not in ("x86_64", "AMD64", "i386", "i686"):
        raise InterpreterError(f"it runs on x86 only, this is {platform.machine()}")
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise InterpreterError("it comes from Debian, by apt-get and dpkg-deb, which are not here")
    mirror = next(mirrors(SOURCES), None)
    if mirror is None:
        raise InterpreterError("it comes from Debian, and this system's apt has no Debian mirror")
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "state/status").touch()
    (scratch / "sources.list").write_text(mirror.line(packages), "utf-8")
    settings = _CONFIGURATION.format(architecture=packages.architecture, folder=scratch.absolute())
    (scratch / "apt.conf").write_text(settings, "utf-8")
    _apt(scratch, "update")
    _apt(scratch, "download", *(name.partition("_")[0] for name in packages.files))
    archives = sorted((scratch / "debs").glob("*.deb"))
    check(packages, archives)
    for archive in archives:
        _run(["dpkg-deb", "-x", archive, root], scratch, "its package does not unpack")


def check(packages: Packages, archives: list[Path]) -> None:
    """InterpreterError unless the interpreter is the pinned one, and each pinned file itself."""
    # apt writes the colon of a version's epoch as %3a; none of these has one.
    if packages.interpreter not in [archive.name for archive in archives]:
        raise InterpreterError(f"Debian no longer has {packages.interpreter}, the pinned one")
    for archive in archives:
        pinned = packages.files.get(archive.name)
        if pinned and hashlib.sha256(archive.read_bytes()).hexdigest() != pinned:
            raise InterpreterError(f"{archive.name} is not the file that was pinned")


def mirrors(folder: Path) -> Iterator[Mirror]:
    """The Debian mirrors in apt's sources below folder, of either format, in apt's order."""
    parts = sorted((folder / "sources.list.d").glob("*"))
    for file in [folder / "sources.list", *parts]:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        text = file.read_text("utf-8", "replace")
        entries = _one_line(text) if file.suffix == ".list" else _stanzas(text)
        for uris, signed_by in entries:
            for uri in uris:
                # A mirror calls Debian's archive so; debian-security is another archive.
                if re.search(r"/debian/?$", uri):
                    yield Mirror(uri, signed_by if signed_by.startswith("/") else "")


def _one_line(text: str) -> Iterator[tuple[list[str], str]]:
    """URI and key of each line "deb [signed-by=…] URI suite main"."""
    for found in re.finditer(
        r"^deb[ \t]+(?:\[([^]]*)\][ \t]+)?(\S+)[ \t]+\S+.*\bmain\b", text, re.M
    ):
        signed_by = re.search(r"signed-by=(\S+)", found[1] or "")
        yield [found[2]], signed_by[1] if signed_by else ""


def _stanzas(text: str) -> Iterator[tuple[list[str], str]]:
    """URIs and key of each stanza of a .sources file (deb822)."""
    for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", text, flags=re.M)):
        fields = {
            found[1].lower(): found[2].strip()
            for found in re.finditer(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.M)
        }
        wanted = (
            "deb" in fields.get("types", "").split()
            and "main" in fields.get("components", "").split()
            and fields.get("enabled", "yes").lower() not in ("no", "false")
        )
        if wanted:
            yield fields.get("uris", "").split(), fields.get("signed-by", "")


def _apt(scratch: Path, *arguments: str) -> None:
    command = ["apt-get", "-qq", "-c", scratch / "apt.conf", *arguments]
    _run(command, scratch / "debs", f"apt-get {arguments[0]} failed (no network?)")


def _run(command: list, folder: Path, complaint: str) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_APT_S,
        )
    except subprocess.TimeoutExpired:
        raise InterpreterError(f"{complaint}: not done within {_APT_S} s") from None
    if done.returncode:
        errors = [
            line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg-deb:"))
        ]
        raise InterpreterError(f"{complaint}: {' '.join(errors[:1]) or 'without a word'}")
