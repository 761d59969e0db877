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
from ..console import Console as Output
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
    if options.json:
        print(json.dumps(summary))
    else:
        show(summary, Output())
    return 0


def show(summary: dict[str, Any], console: Output) -> None:
    """The summary as a person reads it."""
    boots = {"first boot": summary["first_boot"], "second boot": summary["second_boot"]}
    keys = ("registered", "connected", "clock_set", "clock_error_ms", "tls", "seconds")
    rows = [
        {summary["device"]: key.replace("_", " "), **{boot: boots[boot][key] for boot in boots}}
        for key in keys
    ]
    console.say("")
    console.table(rows, [summary["device"], *boots])
    console.say(
        f"secret stored, the same as the hub's: {'yes' if summary['secret_stored'] else 'NO'}"
    )
    console.say(f"secrets in anything printed: {'YES' if summary['secret_in_log'] else 'none'}")
