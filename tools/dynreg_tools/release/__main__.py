"""`./dev release`: builds what is published, and with --check tries all of it in clean places."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..console import fail
from ..errors import ToolError
from ..sources import ROOT, need_clone
from . import checks
from .steps import Steps, say

DESCRIPTION = """\
Builds the wheel, the sdist and the packages for mip into dist/. With --check, each is installed in
a clean place and has to run there."""
EXAMPLE = """\
examples:
  ./dev release                    dist/ only
  ./dev release --check            before a release: all of it is tried, some minutes
  ./dev release --check --draft    between releases, as CI does: changes that are not committed,
                                   or stand under Unreleased, are warnings
  ./dev release --check --json     one JSON object: steps, warnings, files with their SHA-256

In dist/ lie the wheel and the sdist (twine upload), mip/ for a static file server, and assets/,
the same packages without folders, to attach to a release. It needs a network, for pip. The exit
code is 0 where all holds, 1 where something does not, 130 after Ctrl-C; dist/ is written before
anything is tried."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="dev release",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--check", action="store_true", help="try all of it in clean places")
    made.add_argument("--draft", action="store_true", help="not to be published as it is")
    made.add_argument(
        "--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="default dist/"
    )
    made.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return made


def main() -> int:
    """0 where all holds."""
    asked = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        need_clone("release")
        with tempfile.TemporaryDirectory(prefix="dynreg-release-") as scratch:
            steps, warnings = Steps(), []
            checks.run(steps, warnings, Path(scratch), asked.out, asked.check, asked.draft)
    except ToolError as error:
        fail(str(error))
        return 1
    except KeyboardInterrupt:
        fail("stopped by Ctrl-C")
        return 130
    for warning in warnings:
        say(f"warning: {warning}")
    found = {
        "version": checks.VERSION,
        "ok": steps.ok,
        "seconds": round(time.monotonic() - began, 1),
        "steps": steps.done,
        "warnings": warnings,
        "files": files(asked.out),
    }
    print(json.dumps(found) if asked.json else words(found, asked.out))
    return 0 if steps.ok else 1


def files(out: Path) -> list[dict[str, Any]]:
    """What lies in dist/ now."""
    return [
        {
            "file": path.relative_to(out).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(out.rglob("*"))
        if path.is_file()
    ]


def words(found: dict[str, Any], out: Path) -> str:
    """The outcome as a person reads it."""
    wrong = [step for step in found["steps"] if not step["ok"]]
    lines = [f"dynreg {found['version']}: {len(found['steps'])} steps, {found['seconds']} s"]
    lines += [f"{step['step']}: {step['detail']}" for step in wrong]
    lines += [f"{out}: {len(found['files'])} files" if found["ok"] else "it is no release"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
