"""The shell's completion of the command line: what is connected, files, folders."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")
# A board's port: what `dynreg ports --names` says, with the --virtual of the line. The shell gets
# names only as data: one may hold $(…).
_PORTS: dict[str, Any] = {
    "bash": "_dynreg_ports",
    "zsh": "_dynreg_ports",
    "tcsh": "`dynreg ports --names`",
    "preamble": {
        "bash": """\
_dynreg_ports() {
  local at name virtual=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ ${COMP_WORDS[at]} == --virtual ]] && virtual=(--virtual "${COMP_WORDS[at + 1]}")
  done
  while IFS= read -r name; do
    [[ $name == "$1"* ]] && printf '%q\\n' "$name"
  done < <("${COMP_WORDS[0]}" ports --names "${virtual[@]}" 2>/dev/null)
}""",
        "zsh": """\
_dynreg_ports() {
  local -a names virtual
  local at=${words[(I)--virtual]}
  ((at)) && virtual=(--virtual "${(Q)words[at + 1]}")
  names=(${(f)"$(dynreg ports --names "${virtual[@]}" 2>/dev/null)"})
  compadd -- "${names[@]}"
}""",
    },
}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for a shell of SHELLS; shtab is loaded only here."""
    import shtab

    for action in _actions(parser):
        meant: Any = None
        if "--port" in action.option_strings:
            meant = _PORTS
        elif isinstance(action.metavar, str):
            word = action.metavar.partition(".")[0]
            meant = {"FILE": shtab.FILE, "FOLDER": shtab.DIRECTORY}.get(word)
        if meant:
            action.complete = meant  # pyright: ignore[reportAttributeAccessIssue] (what shtab reads)
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Of the parser and of all its commands."""
    for action in parser._actions:  # argparse has no other way to them
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from _actions(one)
