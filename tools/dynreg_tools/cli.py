"""The command line of `dynreg`: one sub-command per module of commands/."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from . import completion, interrupts
from .console import fail
from .errors import ToolError
from .extras import load
from .sources import version

COMMANDS = {
    "ports": "what is connected, and how it stands",
    "init": "write the batch's device_info.json",
    "image": "one file for a batch: MicroPython and all that deploy brings",
    "flash": "MicroPython into boards, their credential kept",
    "deploy": "library, certificates, programs and device_info.json onto boards",
    "provision": "deploy, register, log in, report: all boards",
    "labels": "a label for each board of a report: name, MAC, QR code",
    "watch": "what boards print, levels coloured",
    "repl": "a board's prompt",
    "status": "how each board stands: Device.status()",
    "doctor": "which link between board and cloud is broken",
    "identity": "save a board's credential into a file, and bring it back",
    "demo": "a blank virtual board registers with a local hub, live; then boots again",
    "hub": "the cloud's end on this machine: HTTPS gateway, MQTT broker, NTP",
    "board": "a virtual board: real MicroPython on real littlefs behind a pty",
    "bundle": "a program as one file for updates over the air",
    "package": "the library compiled, for mpremote mip install",
    "size": "bytes of .mpy of each module, against the last commit",
    "bench": "what a boot costs: round trips, bytes, heap, flash; beside others",
    "herd": "10,000 boards boot in one second, simulated: until when are all online?",
}
EXAMPLE = """\
a box of boards, in a folder of its own:
  dynreg init                                  product, secret, region, Wi-Fi
  dynreg ports                                 what is connected
  dynreg provision --all --report batch.csv    the rest; again after a failure

no board, no account (pip install "dynreg[hub]"):
  dynreg demo                                  a virtual board and a local hub

Every command has --help with examples, and --json. Shell completion:
  dynreg --print-completion bash > ~/.local/share/bash-completion/completions/dynreg"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:  # the process is this command's alone
        interrupts.second_leaves()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal in cp1252 or GBK has not all we say
            stream.reconfigure(errors="replace")
    try:
        try:
            return _run(given)
        finally:
            sys.stdout.flush()
    except ToolError as error:
        fail(str(error))
        return 1
    except BrokenPipeError:  # `| head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        if arguments is None:
            interrupts.deaf()
        fail("stopped by Ctrl-C; boards are in order, the same command goes on")
        return interrupts.EXIT


def _run(given: list[str]) -> int:
    name = next((word for word in given if not word.startswith("-")), None)
    line = parser([name] if name in COMMANDS else [])
    options, unknown = line.parse_known_args(given)
    if unknown:  # with the usage of the command, not of dynreg
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command is None:
        line.print_help()
        return 0
    return options.run(options)


def parser(whole: Sequence[str]) -> argparse.ArgumentParser:
    """The command line: all commands by name, and with their options those that are `whole`.

    So a command loads only what it needs itself. ToolError where that is not installed.
    """
    top = argparse.ArgumentParser(
        prog="dynreg",
        description="Boards on a bench, from blank to registered with Tencent Cloud IoT Hub.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.set_defaults(parser=top)
    top.add_argument("--version", action="version", version=f"%(prog)s {version()}")
    top.add_argument(
        "--print-completion",
        action=Completion,
        choices=completion.SHELLS,
        help="for your shell",
    )
    commands = top.add_subparsers(dest="command", metavar="command")
    for name, text in COMMANDS.items():
        one = commands.add_parser(name, help=text, formatter_class=top.formatter_class)
        if name in whole:
            module = _module(name)
            one.description, one.epilog = module.DESCRIPTION, module.EXAMPLE
            module.add_options(one)
            one.set_defaults(run=module.run, parser=one)
    return top


class Completion(argparse.Action):
    """Prints the shell's completion script."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, **kwargs)

    def __call__(self, top: argparse.ArgumentParser, *arguments: Any) -> None:
        whole = []
        for name in COMMANDS:
            with suppress(ToolError):  # without the extra "hub" its commands are names only
                _module(name)
                whole.append(name)
        print(completion.script(parser(whole), arguments[1]))
        top.exit()


def _module(name: str) -> Any:
    """The command's module: DESCRIPTION, EXAMPLE, add_options(parser), run(options)."""
    return load(f"commands.{name}", name)


if __name__ == "__main__":
    sys.exit(main())
