"""Whose boot.py and main.py are on a board: this project's, MicroPython's, a person's own.

A person's own is replaced only where that was said, and a copy of it stays beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

PROGRAMS = ("/boot.py", "/main.py")
COPY = ".old"
# With --app: the digests of the programs that were deployed, so that an app's next edition does
# not leave a copy of the last one each time.
RECORD = "/.dynreg-app"

# SHA-256, base64, of each boot.py and main.py that this project has had.
RELEASES = frozenset(
    (
        "7eiXP8njr0oH7Z285mK7PSE09HqYrpkxkgd8savybAI=",
        "AeE9DeC+MVJ+hpNRzChhT8cnWKQr6rha/OBVmOEUxWQ=",
        "CrbpnGaFgNWOnuD1EoIWOJBpPrNg0z07y5ZMczN/5bg=",
        "R/0BhovEmUkit+iy7U/VlCw0B9XHaKfBup5RQURZO/8=",
        "SzDJ3ouoB2KIK6uiwQpMY4afw2nyUelNE8CfHnwBUwI=",
        "a/BSBaA70ANjuk7ufTHFPFNXFBXj+nuNlz4MTx52Id0=",
        "fTP0CdmW/6Xn7Tw8FchdR0TqNTtx2GvYEQ9AqQ2WaKs=",
        "haRPUx8TospzNi3bdBwV4yO/5Gv+E4tO7A8OABNEZx0=",
        "rV4Cxr39ffa2a1B1GipzqlKcdhK8d9D09IYurIHuMsA=",
        "umd1uq7gSFRgD+3ymrSCFV34LiVkOTmhtd0ivHZoeXQ=",
    )
)


def record(digests: Mapping[str, str]) -> bytes:
    """The RECORD of these programs. digests: SHA-256 in base64, by their paths on the board."""
    return "".join(f"{path} {digests.get(path, '-')}\n" for path in PROGRAMS).encode()


def own(present: Mapping[str, str], wanted: Mapping[str, str], idle: tuple[str, ...]) -> list[str]:
    """The programs on a board that are a person's own and would change.

    present, wanted: the digests of what is there and of what is to be. idle: those in which
    nothing is done, as MicroPython's own boot.py.
    """
    return [
        path
        for path in PROGRAMS
        if path in present
        and present[path] != wanted.get(path)
        and present[path] not in RELEASES
        and path not in idle
    ]


def is_idle(source: bytes) -> bool:
    """Whether nothing is done in it: comments and blanks, an import of gc (as on the board)."""
    lines = [line.strip() for line in source.split(b"\n")]
    return all(
        line[:1] in (b"", b"#") or line in (b"import gc", b"gc.collect()") for line in lines
    )


def refusal(own: list[str], app: bool) -> str:
    """These programs hinder a deploy: the sentence. app: --app FOLDER has none in their place."""
    names = " and ".join(path[1:] for path in own)
    return f"the board has a {names} of its own" + (", --app FOLDER has none" if app else "")
