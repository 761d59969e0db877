"""One board, from the first question to the last check.

The order: ask the REPL, refuse what must be refused, save the identity; only then the ROM loader,
where chip, flash size and partition table are compared with the file; then erase, write, verify,
reset; then bring the identity back. Nothing is written before every check has passed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import fleet, identity, identityfile
from ..entering import NoPrompt
from ..errors import BoardError
from ..lines import Lines
from ..link import Link
from . import BAUD, choice, contents, ownprograms, partitions, rules
from .batchimage import BatchImage
from .image import Firmware
from .loader import Loader

_BOOT_S = 30  # a board that has just been flashed formats its file system first
_BY_HAND = "no-reset"  # the board is in its loader already, its REPL is not there to be asked
_NOT_YET = ("board.lost", "board.port")  # it restarts
_REFUSALS = ("flash.chip", "flash.size", "flash.save", *rules.REFUSALS)


@dataclass(frozen=True)
class Order:
    """What is to be done to each board. firmware None: erase only; image: what is in firmware."""

    firmware: Firmware | choice.Folder | None = None
    image: BatchImage | None = None
    erase: bool = False
    erase_registered: frozenset[str] = frozenset()  # names of boards that may lose theirs
    save: Path | None = None
    restore: Path | None = None
    force: bool = False  # also over programs of a person's own
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
        self._firmware: Firmware | None = None  # the file for this board, once its chip is known
        self._row: dict[str, Any] = {"chip": None, "mac": None, "device": None, "notes": []}

    def run(self) -> fleet.Row:
        """outcome: "flashed", "erased" or "dry run". credential: "kept", "lost", "restored",
        "none" or "unknown". A BoardError carries what was known until then as `known`."""
        with self._refusals():
            self._work()
        return self._row

    def burn(self, done: Callable[[str], bool]) -> tuple[fleet.Row, Lines | None]:
        """As run() with an image, and what the board prints from its reset on.

        A board that done(its MAC) says to be done is left as it is: no outcome, no lines.
        """
        with self._refusals(), self._loader() as board:
            if done(contents.format_mac(board.mac)):
                self._row["mac"] = contents.format_mac(board.mac)
                return self._row, None
            self._in_loader(board)
            return self._row, None if self.order.dry_run else board.start()

    def _work(self) -> None:
        order = self.order
        if order.before != _BY_HAND and (order.image is None or order.save):
            self._ask()
        if self._contents and order.dry_run and order.image is None:
            self._check(self._contents.chip, self._contents.flash)
            self._done("dry run", order.erase)
            return
        with self._loader() as board:
            self._in_loader(board)
        if order.restore and not order.dry_run:
            self._restore(order.restore)

    def _loader(self) -> Loader:
        order = self.order
        self._step("entering the loader", 0.1)
        return Loader(self.port, order.before, order.after, order.stub, order.baud)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except BoardError as error:
            self._row["outcome"] = "refused" if error.code in _REFUSALS else "failed"
            error.known = self._row
            raise

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
                if self.order.erase:
                    self._may_lose("--erase")
                if self.order.save and self._on_board.where and not self.order.dry_run:
                    path = identityfile.save(self.order.save, identity.fetch(link))
                    self._row["notes"].append(f"its identity is saved in {path}")
        except NoPrompt as error:
            if error.code == "board.brownout":  # in the middle of a flash it would be worse
                raise

    def _in_loader(self, board: Loader) -> None:
        order, row = self.order, self._row
        row["chip"], row["mac"] = board.chip.name, contents.format_mac(board.mac)
        self._check(board.chip.name, board.flash_size, board.revision)
        if self._contents is None:
            self._step("reading its flash", 0.1)
            self._set_contents(contents.from_flash(board.read, board.mac, board.flash_size))
            if order.save and self._on_board.may_hold_credential:
                raise BoardError(
                    "flash.save",
                    f"{self.port}: its prompt does not answer, so its identity cannot be saved: "
                    "stop its program, or go without --save-identity",
                )
        if order.image:
            row["device"] = row["device"] or order.image.batch.name_of(board.mac)
            row["notes"] += ownprograms.check(board, self.port, order.image, force=order.force)
        moved = self._moved(board)
        replaced = order.image is not None and self._on_board.only_in_files
        if order.erase:
            self._may_lose("--erase")
        elif moved:
            self._may_lose(f"this firmware, which moves {moved},")
        elif replaced:
            self._may_lose(rules.NEW_FILES)
        elif order.image:
            rules.check_owner(self.port, self._on_board, order.image)
        loses = order.erase or bool(moved) or replaced
        if order.dry_run:
            self._done("dry run", loses)
            return
        if self._stop.is_set():
            raise BoardError("interrupted", f"{self.port}: stopped, nothing was written")
        if order.erase:
            self._step("erasing", 0.1)
            board.erase()
        if self._firmware:
            self._write(board, self._firmware.pieces(keep_nvs=not (order.erase or moved)))
            row |= order.image.releases if order.image else {}
        self._done("flashed" if order.firmware else "erased", loses)

    def _write(self, board: Loader, pieces: list[tuple[int, bytes]]) -> None:
        total, before = sum(len(data) for _, data in pieces), 0
        for at, data in pieces:
            progress = partial(self._written, before / total, len(data) / total)
            board.write(at, data, progress)
            before += len(data)
            if data.strip(b"\xff"):
                self._row["notes"].append(f"{len(data)} bytes at {at:#x} written and verified")

    def _written(self, before: float, share: float, done: int, of: int) -> None:
        self._step("writing", 0.1 + 0.8 * (before + share * done / of))

    def _check(self, chip: str | None, flash: int, revision: int | None = None) -> None:
        """Picks the file for this chip and flash size (bytes); None and 0: they are not known."""
        order, self._row["chip"] = self.order, chip
        if order.firmware is not None:
            self._firmware = choice.pick(self.port, order.firmware, chip, flash, revision)
        if self._firmware and isinstance(order.firmware, choice.Folder):
            self._row["notes"].append(f"{self._firmware.path.name}: {self._firmware.version}")
        if self._firmware and self._firmware.warning:
            self._row["notes"].append(self._firmware.warning)
        if order.image is not None and order.image.flash not in (None, flash):
            raise BoardError(
                "flash.size",
                f"{self.port}: the board has {flash >> 10} KiB of flash, the image is for "
                f"{order.image.flash >> 10}: make one with 'dynreg image --flash-size'; nothing "
                "was written",
            )

    def _moved(self, board: Loader) -> str:
        """What the new partition table would lose, in words; "" where there is no table yet."""
        if self._firmware is None or self.order.erase:
            return ""
        old = partitions.parse(board.read(partitions.ADDRESS, partitions.SIZE))
        moved = old.moved(self._firmware.table) if old else []
        if self.order.image:  # its files are new in any case
            moved = [what for what in moved if what == partitions.NVS]
        return " and ".join(moved)

    def _may_lose(self, what: str) -> None:
        rules.check_loss(self.port, self._on_board, what, self.order.erase_registered)

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
