"""`dynreg demo`: a blank virtual board registers with a local hub, live, then boots once more."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..build.firmware_libraries import need_umqtt
from ..demo import Console, DemoError
from ..demo import run as demo

DESCRIPTION = "A blank virtual board registers with a local hub, live, then boots once more."
EXAMPLE = "example: dynreg demo --json | tail -1"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--umqtt", metavar="FILE", help="another umqtt/simple.py in the firmware")
    parser.add_argument("--urequests", metavar="FILE", help="another urequests in the firmware")
    parser.add_argument("--keep", metavar="DIR", help="keep board and hub here, to look at")


def run(options: argparse.Namespace) -> int:
    """0 once the board has registered, logged in and set its clock, twice."""
    folder = Path(options.keep or tempfile.mkdtemp(prefix="dynreg-demo-"))
    try:
        need_umqtt(options.umqtt)
        summary = demo(Console(sys.stdout), folder, options.umqtt, options.urequests)
    except TimeoutError as error:
        raise DemoError(str(error)) from None
    except KeyboardInterrupt:
        return 130
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(summary) if options.json else table(summary))
    return 0


def table(summary: dict[str, Any]) -> str:
    """The summary as a person reads it."""
    rows = [f"\n{summary['device']}", f"{'':16}{'first boot':>14}{'second boot':>14}"]
    for key in ("registered", "connected", "clock_set", "clock_error_ms", "tls", "seconds"):
        cells = (summary[boot][key] for boot in ("first_boot", "second_boot"))
        words = ({True: "yes", False: "no"}.get(c, c) if isinstance(c, bool) else c for c in cells)
        rows.append(f"{key.replace('_', ' '):16}" + "".join(f"{word!s:>14}" for word in words))
    rows.append(
        f"secret stored, the same as the hub's: {'yes' if summary['secret_stored'] else 'NO'}"
    )
    rows.append(f"secrets in anything printed: {'YES' if summary['secret_in_log'] else 'none'}")
    return "\n".join(rows)
