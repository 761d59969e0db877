"""The command line of `dynreg`: one sub-command per module."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from .console import fail
from .errors import BoardError

COMMANDS = (
    "ports",
    "init",
    "flash",
    "deploy",
    "provision",
    "watch",
    "repl",
    "status",
    "doctor",
    "identity",
)
EXAMPLE = """\
a box of boards, in a folder of its own:
  dynreg init                                  product, secret, region, Wi-Fi
  dynreg ports                                 what is connected
  dynreg provision --all --report batch.csv    the rest; again after a failure

Every command has --help with examples, and --json. Shell completion:
  dynreg --print-completion bash > ~/.local/share/bash-completion/completions/dynreg"""


SHELLS = ("bash", "zsh", "tcsh")


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command's module adds its own part."""
    top = argparse.ArgumentParser(
        prog="dynreg",
        description="Boards on a bench, from blank to registered with Tencent Cloud IoT Hub.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--print-completion", action=Completion, choices=SHELLS)
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    for name in COMMANDS:
        import_module("." + name, __package__).add_parser(commands)
    return top


class Completion(argparse.Action):
    """Prints the shell's completion script; shtab is loaded only then."""

    def __init__(self, option_strings, dest, **kwargs):
        super().__init__(option_strings, argparse.SUPPRESS, help="for your shell", **kwargs)

    def __call__(self, parser, *arguments):
        import shtab

        print(shtab.complete(parser, arguments[1]))
        parser.exit()


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except BoardError as error:
        fail(str(error))
        return 1
    except BrokenPipeError:  # `| head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        fail("stopped by Ctrl-C; boards are in order, the same command goes on")
        return 130


if __name__ == "__main__":
    sys.exit(main())
