"""`dynreg repl`: a board's prompt, by mpremote."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from ..console import Console
from . import shared

DESCRIPTION = "Opens mpremote's terminal on one board."
EXAMPLE = """\
example:
  dynreg repl --port /dev/ttyUSB0       Ctrl-] or Ctrl-X ends it, Ctrl-C interrupts the program"""


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser, several=False)
    parser.add_argument("--json", action="store_true", help="one JSON object when it has ended")


def run(options: argparse.Namespace) -> int:
    """mpremote's exit code."""
    port = shared.ports(options)[0]
    name = os.path.realpath(port) if os.name == "posix" else port
    code = subprocess.call([sys.executable, "-m", "mpremote", "connect", name, "repl"])
    Console(options.json).result({"port": port, "exit": code})
    return code
