"""What would make several boards one and the same in the cloud, found before it hears of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .batch import Batch, placeholder
from .errors import BoardError

_OWN = (  # section and key of device_info.json that hold one board's credential
    ("key_deviceinfo", "deviceSecret"),
    ("cert_deviceinfo", "devCertFile"),
    ("cert_deviceinfo", "devPrivateKeyFile"),
)
_KEY = b"PRIVATE KEY-----"


def check(batch: Batch, boards: int | None) -> None:
    """BoardError "config.batch" where the batch's files are one board's, and there are more.

    boards: how many; None: as many as will be plugged in.
    """
    fault = one_boards(batch)
    if fault and boards != 1:
        here = f"here are {boards} boards" if boards else "--loop is for several"
        raise BoardError("config.batch", f"{batch.path}: {fault}; {here}")


def one_boards(batch: Batch) -> str | None:
    """Why these files can be for one board only, and what to do; None where they can be for all.

    No secret is in the words.
    """
    for section, key in _OWN:
        if not placeholder((batch.values.get(section) or {}).get(key)):
            return (
                f"{section}.{key} is filled in, which is one board's own: write YOUR_… there, as "
                "'dynreg init' does"
            )
    for file in sorted((batch.path.parent / "certs").glob("**/*")):
        if file.is_file() and _KEY in file.read_bytes():
            return f"{file} is a private key, which is one board's own: take it away"
    if "{mac}" not in batch.values["deviceName"]:
        return (
            "deviceName is the same for every board, and the cloud gives each name one secret: "
            "write {mac} into it"
        )
    return None


def foreign(
    seen: Mapping[str, Any], good: bool, mac: str, name: str, product_id: str
) -> str | None:
    """Why a report is not that of the board with this MAC and device name; None where it is.

    A good one must say both, another may.
    """
    whose, device = seen.get("mac"), seen.get("device")
    if (good or whose) and str(whose).replace(":", "") != mac.replace(":", ""):
        who = f"of the board {whose}" if whose else "without a MAC"
        return f"its report is {who}"
    if (good or device) and device != product_id + name:
        return f"its report is of {device or 'no device'}, not of {product_id + name}"
    return None


class Bench:
    """Who is at work: no name goes to two boards, no board is worked on twice at a time.

    taken: {device name: MAC} of boards that were done before.
    """

    def __init__(self, taken: Mapping[str, str]) -> None:
        self._names = dict(taken)
        self._busy: dict[str, str] = {}  # MAC -> port
        self._lock = threading.Lock()

    @contextmanager
    def place(self, port: str, mac: str, name: str) -> Iterator[None]:
        """A board's place while it is worked on. BoardError "config.name", "board.twice"."""
        with self._lock:
            owner = self._names.setdefault(name, mac)
            if owner != mac:
                raise BoardError(
                    "config.name",
                    f"{port}: its name would be {name}, and the board {owner} has that",
                )
            if mac in self._busy:
                raise BoardError(
                    "board.twice",
                    f"{port}: has the MAC of the board at {self._busy[mac]}",
                )
            self._busy[mac] = port
        try:
            yield
        finally:
            with self._lock:
                del self._busy[mac]
