"""What the sources of a release must say: one version, a dated section of CHANGELOG.md, nothing
left open.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from .steps import ReleaseError, command

_HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?[^\S\n]*$", re.MULTILINE)
_PLACEHOLDER = "example.invalid"  # a host that no one can have (RFC 2606)
_IN_PAGES = "<repository>"


def clean(root: Path) -> str:
    """ReleaseError where a file of the work tree is not as its commit has it."""
    changed = command("git", "status", "--porcelain", cwd=root).splitlines()
    if changed:
        named = ", ".join(line[3:] for line in changed[:5])
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise ReleaseError(f"not committed: {named}{more}; commit or remove them")
    return command("git", "describe", "--always", "--tags", cwd=root).strip()


def tracked(root: Path) -> set[str]:
    """The paths of all files of the repository."""
    return set(command("git", "ls-files", "-z", cwd=root).rstrip("\0").split("\0"))


def changelog(text: str, version: str) -> str:
    """ReleaseError unless the section below Unreleased is this version's, with a date."""
    sections = list(_HEADING.finditer(text))
    if not sections or sections[0]["name"] != "Unreleased":
        raise ReleaseError("CHANGELOG.md: its first section must be '## [Unreleased]'")
    if len(sections) < 2 or sections[1]["name"] != version:
        raise ReleaseError(
            f"CHANGELOG.md: below Unreleased stands no '## [{version}] - YYYY-MM-DD': write it, "
            "or set __version__ in lib/dynreg/__init__.py"
        )
    try:
        day = date.fromisoformat(sections[1]["date"] or "")
    except ValueError:
        raise ReleaseError(
            f"CHANGELOG.md: '## [{version}]' has no date: write '## [{version}] - YYYY-MM-DD'"
        ) from None
    if not text[sections[1].end() : _end(sections, 1, text)].strip():
        raise ReleaseError(f"CHANGELOG.md: '## [{version}]' says nothing")
    return f"{version} of {day}"


def nothing_unreleased(text: str) -> str:
    """ReleaseError where changes still stand below Unreleased."""
    sections = list(_HEADING.finditer(text))
    lines = text[sections[0].end() : _end(sections, 0, text)].split("\n") if sections else []
    entries = [line for line in lines if line.startswith("- ")]
    if entries:
        raise ReleaseError(
            f"CHANGELOG.md: {len(entries)} under Unreleased ({entries[0][:50]} …): move them into "
            "the version's section, or give them a new version"
        )
    return "nothing is left there"


def _end(sections: list[re.Match[str]], index: int, text: str) -> int:
    return sections[index + 1].start() if index + 1 < len(sections) else len(text)


def one_version(root: Path, version: str) -> str:
    """ReleaseError unless the repository's package.json, which lists sources, has it too."""
    listed = json.loads((root / "package.json").read_text("utf-8"))["version"]
    if listed != version:
        raise ReleaseError(f"package.json says {listed}, not {version}: ./dev package --sources")
    return version


def placeholders(root: Path) -> list[str]:
    """What must be replaced before anything is published, one sentence a place."""
    found = [
        f"{name}:{number}: {_PLACEHOLDER} is a placeholder for the project's own address"
        for name in ("pyproject.toml",)
        for number, line in enumerate((root / name).read_text("utf-8").splitlines(), 1)
        if f"{_PLACEHOLDER}" in line
    ]
    pages = [*root.glob("*.md"), *(root / "docs").glob("*.md")]
    named = [
        page.relative_to(root).as_posix()
        for page in sorted(pages)
        if page.name != "CONTRIBUTING.md" and _IN_PAGES in page.read_text("utf-8")
    ]
    if named:
        found.append(f"{', '.join(named)}: {_IN_PAGES} stands for the repository's address")
    return found
