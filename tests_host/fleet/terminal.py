"""A terminal of 80 columns: a pty, and what its screen shows in the end."""

import os
import pty
import re
import subprocess
import sys
import termios
import time

_PIECE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def run(command, cwd, env, timeout=60, typed=(), columns=80):
    """(exit code, raw output) of a command at a terminal.

    typed: (text to wait for, what is typed then, or a function that gets the process), one after
    the other, each text looked for behind the last one.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    output = b""
    seen = 0
    typed = list(typed)
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            try:
                data = os.read(ours, 65536)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            except OSError:  # Linux says so when the other end is closed
                break
            if not data:
                break
            output += data
            while typed and (at := output.find(typed[0][0], seen)) >= 0:
                text, action = typed.pop(0)
                seen = at + len(text)
                if callable(action):
                    action(process)
                else:
                    time.sleep(0.05)  # the question is out; its program must have begun to read
                    os.write(ours, action)
        return process.wait(max(0.1, deadline - time.monotonic())), output.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def screen(output: str) -> str:
    """The lines as they stand at the end, after all that was drawn over; no colours."""
    lines, row, column = [""], 0, 0
    for found in _PIECE.finditer(output):
        text, argument, action = found[0], found[1], found[2]
        if text == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif text == "\r":
            column = 0
        elif action == "A":
            row = max(0, row - int(argument or 1))
        elif action == "K":
            lines[row] = ""
        elif action is None:
            lines[row] = (
                lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            )
            column += len(text)
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def dynreg(*arguments):
    return [sys.executable, "-m", "dynreg_tools", *map(str, arguments)]
