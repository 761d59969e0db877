"""Debian's packages for another architecture, unpacked into a folder: no root, nothing installed.

apt works on lists and a configuration of its own; from this machine's it takes the Debian mirror
and the key that signs it. What it downloads it checks against the mirror's signed list. The
interpreter itself must beyond that be the very file pinned here, as the figures are its; of the
libraries a newer point release will do, but a file of a pinned name has the pinned hash.
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

from ..errors import ToolError

SUITE, ARCHITECTURE = "trixie", "i386"
SOURCES = Path("/etc/apt")
_APT_S = 180
# file of each package, and its SHA-256; the first is what the others are for
PINNED = {
    "micropython_1.25.0+ds-1_i386.deb": (
        "a72799821cb45442150f8a7f0757bc8e4f9a4b64abccbd837d694a20d6900bb5"
    ),
    "libc6_2.41-12+deb13u5_i386.deb": (
        "8b29b5d68814a9dd4cbc37e2ddbae7cef608e54083a369e6545d7fcca76e813b"
    ),
    "libffi8_3.4.8-2_i386.deb": (
        "8bafefb38c320ca27796070c881595ce04d900c3b534ac142a494daf1fe1db13"
    ),
    "libgcc-s1_14.2.0-19_i386.deb": (
        "a4c71fd856d2a48a7505a087b4186e3cca23f94603c05e3fb7c799b27e72f761"
    ),
    "libmbedcrypto16_3.6.6-0.1~deb13u1_i386.deb": (
        "aa4698ed436eebf77e3dc9f5c514073bd554109d857d887db5a367dde9a5c377"
    ),
    "libmbedtls21_3.6.6-0.1~deb13u1_i386.deb": (
        "eb1b20154ce9008aca1d036698ffc12019020a54985d2c5ae3dc1c1c39c9e995"
    ),
    "libmbedx509-7_3.6.6-0.1~deb13u1_i386.deb": (
        "fe6ba192c9227d30a4cd05a3bdeccdf9ff30d55b27d8ff488126c16dcf727cce"
    ),
}
INTERPRETER = next(iter(PINNED))
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


class DebianError(ToolError):
    """The packages cannot be had; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """signed_by: the file of its keys; "" where apt's own list of trusted keys is meant."""

    uri: str
    signed_by: str

    @property
    def line(self) -> str:
        options = f"arch={ARCHITECTURE}"
        if self.signed_by:
            options += f" signed-by={self.signed_by}"
        return f"deb [{options}] {self.uri} {SUITE} main\n"


def unpack(root: Path, scratch: Path) -> None:
    """Downloads PINNED through apt and unpacks them below root; scratch is an empty folder.

    DebianError where this machine has no apt or no x86, its apt no Debian mirror, or no network.
    """
    if platform.machine() not in ("x86_64", "AMD64", "i386", "i686"):
        raise DebianError(f"it runs on x86 only, this is {platform.machine()}")
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise DebianError("it comes from Debian, by apt-get and dpkg-deb, which are not here")
    mirror = next(mirrors(SOURCES), None)
    if mirror is None:
        raise DebianError("it comes from Debian, and this system's apt has no Debian mirror")
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "state/status").touch()
    (scratch / "sources.list").write_text(mirror.line)
    settings = _CONFIGURATION.format(architecture=ARCHITECTURE, folder=scratch.absolute())
    (scratch / "apt.conf").write_text(settings)
    _apt(scratch, "update")
    _apt(scratch, "download", *(name.partition("_")[0] for name in PINNED))
    archives = sorted((scratch / "debs").glob("*.deb"))
    check(archives)
    for archive in archives:
        _run(["dpkg-deb", "-x", archive, root], scratch, "its package does not unpack")


def check(archives: list[Path]) -> None:
    """DebianError unless the interpreter is the pinned one and no pinned file has another hash."""
    # apt writes the colon of a version's epoch as %3a; none of these has one.
    if INTERPRETER not in [archive.name for archive in archives]:
        raise DebianError(f"Debian no longer has {INTERPRETER}, the one that is pinned")
    for archive in archives:
        pinned = PINNED.get(archive.name)
        if pinned and hashlib.sha256(archive.read_bytes()).hexdigest() != pinned:
            raise DebianError(f"{archive.name} is not the file that was pinned")


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
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_APT_S
        )
    except subprocess.TimeoutExpired:
        raise DebianError(f"{complaint}: not done within {_APT_S} s") from None
    if done.returncode:
        errors = [
            line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg-deb:"))
        ]
        raise DebianError(f"{complaint}: {' '.join(errors[:1]) or 'without a word'}")
