"""`dynreg identity`: save a board's credential into a file, and bring it back."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..boards.flashing import contents
from ..boards.identity import fetch, restore
from ..boards.identityfile import Identity, file_path, load, save
from ..boards.link import Link, over_resets
from ..console import Console
from . import shared

DESCRIPTION = """\
Saves a board's credential into a file, and brings it back.

The cloud gives a credential once (docs/credentials.md), so this is the way back for a board whose
flash must be erased. One file a board, named by its MAC, mode 0600 in a folder of mode 0700: it
holds the secret in clear, and is as precious as the board."""
EXAMPLE = """\
examples:
  dynreg identity save --port /dev/ttyUSB0 safe/      safe/246f28aabbcc.json
  dynreg identity restore --port /dev/ttyUSB0 safe/   after the board was erased
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("save", "restore"))
    parser.add_argument("folder", help="of the files, one a board")
    shared.add_ports(parser, several=False)
    parser.add_argument("--dry-run", action="store_true", help="look, change nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """0; BoardError where it cannot be done."""
    console = Console(options.json)
    (port,) = shared.ports(options)

    def work(link: Link) -> tuple[str, Path, Identity]:
        mac = contents.from_repl(link).mac
        path = file_path(options.folder, mac)
        if options.what == "save":
            identity = fetch(link)
            if not options.dry_run:
                save(options.folder, identity)
        else:
            identity = load(path)
            restore(link, identity, options.dry_run)
        return mac, path, identity

    mac, path, identity = over_resets(port, None, work)
    row = {
        "port": port,
        "mac": contents.format_mac(mac),
        "owner": identity.owner,
        "file": str(path),
    }
    done = {"save": "saved in", "restore": "restored from"}[options.what]
    done = f"would be {done}" if options.dry_run else done
    console.result(row | {"outcome": "dry run" if options.dry_run else done.split()[0]})
    console.say(f"{port}  {contents.format_mac(mac)}  {identity.owner}  {done} {path}")
    return 0
