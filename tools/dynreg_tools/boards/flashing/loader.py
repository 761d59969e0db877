"""A board in its ROM loader, through esptool (its Python API, in this process).

esptool writes to a log that belongs to the whole process; here only its progress is
reported. esptool puts its stub into the board's RAM unless told not to: it is faster than the
ROM and can erase the whole flash. After each write it compares the MD5 of what is in flash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from esptool.cmds import (
    attach_flash,
    detect_chip,
    detect_flash_size,
    erase_flash,
    reset_chip,
    run_stub,
    write_flash,
)
from esptool.logger import EspLogBase, log
from esptool.reset import ResetStrategy
from esptool.util import FatalError, flash_size_bytes
from serial import SerialException

from ..errors import BoardError
from ..lines import Lines
from . import BAUD
from .chips import Chip, chips

_ROM_BAUD = 115200


class _Progress(EspLogBase):
    """esptool's log: nothing but the progress, each thread's to its own callback."""

    def __init__(self) -> None:
        self.listener = threading.local()

    def progress_bar(self, cur_iter: int, total_iters: int, *_: Any, **__: Any) -> None:
        call = getattr(self.listener, "call", None)
        if call:
            call(cur_iter, total_iters)

    def print(self, *args: Any, **kwargs: Any) -> None:
        pass

    err = warn = note = hint = debug = set_verbosity = error = warning = print


_progress = _Progress()
_log: Any = log
_log.set_logger(_progress)
_strategy: Any = ResetStrategy
_strategy.print_once = staticmethod(_progress.warn)  # it has taken the old log's


class Loader:
    """For a with statement: the board enters its ROM loader, and is reset at the end.

    before, after: esptool's names of how ("default-reset", "no-reset", …). stub: False for chips
    or cables that do not bear it; slower, and cannot erase all. BoardError "flash.…".
    """

    def __init__(
        self,
        port: str,
        before: str = "default-reset",
        after: str = "hard-reset",
        stub: bool = True,
        baud: int = BAUD,
    ) -> None:
        self.port = port
        self._before, self._after, self._stub, self._baud = before, after, stub, baud
        self._esp: Any = None  # esptool's, of one class for each chip

    def __enter__(self) -> Loader:
        with self._board_errors("flash.loader"):
            self._esp = detect_chip(self.port, _ROM_BAUD, self._before)
        try:
            with self._board_errors("flash.loader"):
                if self._stub:
                    self._esp = run_stub(self._esp)
                if self._baud != _ROM_BAUD:
                    self._esp.change_baud(self._baud)
                attach_flash(self._esp)
        except BaseException:
            self._esp._port.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self._esp is None:  # started
            return
        try:
            with self._board_errors("flash.lost"):
                reset_chip(self._esp, self._after)
        except BoardError:
            if not any(exception):  # else there is a better reason already
                raise
        finally:
            self._esp._port.close()

    def start(self) -> Lines:
        """Resets the board and gives what it prints from then on, over the port as it is open:
        opening it anew would lose the first lines, and reset some boards once more."""
        with self._board_errors("flash.lost"):
            reset_chip(self._esp, self._after)
        port, self._esp = self._esp._port, None
        with suppress(SerialException, OSError):  # native USB is gone now; Lines opens it again
            port.baudrate = _ROM_BAUD
        return Lines(self.port, port)

    @property
    def chip(self) -> Chip:
        """BoardError where firmware/boards.toml does not know it."""
        name = self._esp.CHIP_NAME
        if name not in chips():
            raise BoardError(
                "flash.chip",
                f"{self.port}: the chip is {name}, which firmware/boards.toml does not know: "
                "add it there",
            )
        return chips()[name]

    @property
    def revision(self) -> int:
        """Of the chip, 301 for v3.1."""
        with self._board_errors("flash.lost"):
            return self._esp.get_chip_revision()

    @property
    def mac(self) -> str:
        """Twelve hex digits."""
        return bytes(self._esp.read_mac("BASE_MAC")).hex()

    @property
    def flash_size(self) -> int:
        """Bytes."""
        with self._board_errors("flash.lost"):
            found = detect_flash_size(self._esp)
        size = flash_size_bytes(found) if found else None
        if size is None:
            raise BoardError(
                "flash.size",
                f"{self.port}: the flash chip does not say its size: check the wiring",
            )
        return size

    def read(self, address: int, size: int) -> bytes:
        with self._board_errors("flash.lost"):
            return self._esp.read_flash(address, size)

    def write(self, address: int, data: bytes, progress: Callable[[int, int], None]) -> None:
        """Writes and compares the MD5; what the flash holds already by its MD5 is left as it is.

        progress(done, all) counts what goes over the cable.
        """
        _progress.listener.call = progress
        try:
            with self._board_errors("flash.write"):
                write_flash(self._esp, [(address, data)], skip_flashed=True)
        finally:
            _progress.listener.call = None

    def erase(self) -> None:
        """All of the flash; up to two minutes."""
        with self._board_errors("flash.erase"):
            erase_flash(self._esp)

    @contextmanager
    def _board_errors(self, code: str) -> Iterator[None]:
        try:
            yield
        except (FatalError, SerialException, OSError) as error:
            raise BoardError(code, f"{self.port}: {_REMEDIES[code]} ({_first(error)})") from None


_REMEDIES = {
    "flash.loader": "no answer from the chip's loader: close other programs on this port, or hold "
    "BOOT, press RESET, and say --before no-reset",
    "flash.lost": "the chip's loader fell silent: check the cable and try again",
    "flash.write": "the firmware is not whole in flash, the board will not start: flash it again, "
    "with --baud 115200 if that fails too",
    "flash.erase": "the flash was not erased: try again, without --no-stub",
}


def _first(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
