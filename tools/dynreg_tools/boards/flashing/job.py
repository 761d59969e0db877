"""One board, from the first question to the last check.

The order: ask the REPL, refuse what must be refused, save the identity; only then the ROM loader,
where chip, flash size and partition table are compared with the file; then erase, write, verify,
reset; then bring the identity back. Nothing is written before every check has passed.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import fleet, identity, identityfile
from ..entering import NoPrompt
from ..errors import BoardError
from ..link import Link
from . import BAUD, contents, partitions
from .image import Firmware
from .loader import Loader

_BOOT_S = 30  # a board that has just been flashed formats its file system first
_BY_HAND = "no-reset"  # the board is in its loader already, its REPL is not there to be asked
_NOT_YET = ("board.lost", "board.port")  # it restarts
_REFUSALS = ("flash.registered", "flash.chip", "flash.size", "flash.save")


@dataclass(frozen=True)
class Order:
    """What is to be done to each board. firmware None: erase only."""

    firmware: Firmware | None = None
    erase: bool = False
    erase_registered: frozenset[str] = frozenset()  # names of boards that may lose theirs
    save: Path | None = None
    restore: Path | None = None
    dry_run: bool = False
    before: str = "default-reset"
    after: str = "hard-reset"
    stub: bool = True
    baud: int = BAUD


class Job:
    """run() once. stop: set by Ctrl-C; heeded until the first byte is erased or written."""

    def __init__(self, port: str, order: Order, stop: threading.Event, step: fleet.Step) -> None:
        self.port, self.order = port, order
        self._stop, self._step = stop, step
        self._contents: contents.Contents | None = None
        self._row: dict[str, Any] = {"chip": None, "mac": None, "device": None, "notes": []}

    def run(self) -> fleet.Row:
        """outcome: "flashed", "erased" or "dry run". credential: "kept", "lost", "restored",
        "none" or "unknown". A BoardError carries what was known until then as `known`."""
        try:
            self._work()
        except BoardError as error:
            self._row["outcome"] = "refused" if error.code in _REFUSALS else "failed"
            error.known = self._row
            raise
        return self._row

    def _work(self) -> None:
        order = self.order
        if order.before != _BY_HAND:
            self._ask()
        if self._contents and order.dry_run:
            self._check(self._contents.chip, self._contents.flash)
            self._done("dry run", order.erase)
            return
        self._step("entering the loader", 0.1)
        with Loader(self.port, order.before, order.after, order.stub, order.baud) as board:
            self._in_loader(board)
        if order.restore and not order.dry_run:
            self._restore(order.restore)

    @property
    def _on_board(self) -> contents.Contents:
        """What is on the board, once it has been asked or its flash read."""
        assert self._contents is not None
        return self._contents

    def _ask(self) -> None:
        self._step("asking", 0)
        try:
            with Link(self.port, self._stop) as link:
                self._set_contents(contents.from_repl(link))
                self._check_allowed("--erase" if self.order.erase else "")
                if self.order.save and self._on_board.where and not self.order.dry_run:
                    path = identityfile.save(self.order.save, identity.fetch(link))
                    self._row["notes"].append(f"its identity is saved in {path}")
        except NoPrompt as error:
            if error.code == "board.brownout":  # in the middle of a flash it would be worse
                raise

    def _in_loader(self, board: Loader) -> None:
        order, row = self.order, self._row
        row["chip"], row["mac"] = board.chip.name, contents.format_mac(board.mac)
        self._check(board.chip.name, board.flash_size)
        if self._contents is None:
            self._set_contents(contents.from_flash(board.read, board.mac))
            if order.save and self._on_board.may_hold_credential:
                raise BoardError(
                    "flash.save",
                    f"{self.port}: its prompt does not answer, so its identity cannot be saved: "
                    "stop its program, or go without --save-identity",
                )
        moved = self._moved(board)
        self._check_allowed(
            "--erase" if order.erase else moved and f"this firmware, which moves {moved},"
        )
        loses = order.erase or bool(moved)
        if order.dry_run:
            self._done("dry run", loses)
            return
        if self._stop.is_set():
            raise BoardError("interrupted", f"{self.port}: stopped, nothing was written")
        if order.erase:
            self._step("erasing", 0.1)
            board.erase()
        if order.firmware:
            self._write(board, order.firmware.pieces(keep_nvs=not loses))
        self._done("flashed" if order.firmware else "erased", loses)

    def _write(self, board: Loader, pieces: list[tuple[int, bytes]]) -> None:
        total, before = sum(len(data) for _, data in pieces), 0
        for at, data in pieces:
            progress = partial(self._written, before / total, len(data) / total)
            board.write(at, data, progress)
            before += len(data)
            self._row["notes"].append(f"{len(data)} bytes at {at:#x} written and verified")

    def _written(self, before: float, share: float, done: int, of: int) -> None:
        self._step("writing", 0.1 + 0.8 * (before + share * done / of))

    def _check(self, chip: str | None, flash: int) -> None:
        """Chip and flash size (bytes) against the file; None and 0 where they are not known."""
        firmware = self.order.firmware
        self._row["chip"] = chip
        if firmware is None:
            return
        if chip and chip != firmware.chip.name:
            raise BoardError(
                "flash.chip",
                f"{self.port}: the board is an {chip}, {firmware.path.name} is for "
                f"{firmware.chip.name}: take the file for its chip; nothing was written",
            )
        if flash and flash < firmware.flash_needed:
            raise BoardError(
                "flash.size",
                f"{self.port}: the board has {flash >> 10} KiB of flash, {firmware.path.name} "
                f"needs {firmware.flash_needed >> 10}: take a smaller build; nothing was written",
            )

    def _moved(self, board: Loader) -> str:
        """What the new partition table would lose, in words; "" where there is no table yet."""
        if self.order.firmware is None or self.order.erase:
            return ""
        old = partitions.parse(board.read(partitions.ADDRESS, partitions.SIZE))
        return " and ".join(old.moved(self.order.firmware.table)) if old else ""

    def _check_allowed(self, what: str) -> None:
        """Refuses what would lose a credential, unless this board was named."""
        on_board = self._on_board
        if (
            not what
            or not on_board.may_hold_credential
            or on_board.names & self.order.erase_registered
        ):
            return
        name = (
            on_board.owner.split("/")[-1] if on_board.owner else contents.format_mac(on_board.mac)
        )
        save = "" if on_board.where is None else "'--save-identity FOLDER' keeps a copy first, "
        raise BoardError(
            "flash.registered",
            f"{self.port}: {on_board.sentence}, and the cloud gives no second one; {what} would "
            f"lose it: {save}'--erase-registered {name}' says that you mean it",
        )

    def _restore(self, folder: Path) -> None:
        path = identityfile.file_path(folder, self._on_board.mac)
        if not path.exists():
            self._row["notes"].append(f"no identity of this board in {folder}")
            return
        saved = identityfile.load(path)
        self._step("restoring", 0.9)
        deadline = time.monotonic() + _BOOT_S
        while True:
            try:
                with Link(self.port) as link:
                    identity.restore(link, saved)
                break
            except BoardError as error:
                if not isinstance(error, NoPrompt) and error.code not in _NOT_YET:
                    raise
                if time.monotonic() > deadline:  # restarting, or its USB port not back yet
                    raise
                time.sleep(0.2)
        self._row |= {
            "device": saved.owner and saved.owner.split("/")[-1],
            "credential": "restored",
        }
        self._row["notes"].append(f"its identity is restored from {path}")

    def _set_contents(self, on_board: contents.Contents) -> None:
        self._contents = on_board
        self._row |= {
            "mac": contents.format_mac(on_board.mac),
            "device": on_board.owner and on_board.owner.split("/")[-1],
        }
        running = f"{on_board.version}; " if on_board.version else ""
        self._row["notes"].append(running + on_board.sentence)

    def _done(self, outcome: str, loses: bool) -> None:
        if self._on_board.where is None:
            credential = "unknown"
        else:
            credential = ("lost" if loses else "kept") if self._on_board.where else "none"
        self._row |= {"outcome": outcome, "credential": credential}
