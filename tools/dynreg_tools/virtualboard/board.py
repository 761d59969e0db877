"""Board: a folder with a flash image. Running: the board while it has power."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import files
from ..build import wheel
from . import image
from .errors import BoardError
from .freeze import freeze, libraries
from .loop import Loop
from .output import MACHINE
from .running import Power, Running

TORN = ("untouched", "half", "erased", "random", "reordered")
FILE_SYSTEMS = ("littlefs2", "fat")
_ESPRESSIF = (0x24, 0x6F, 0x28)
_FIRMWARE_HEAP = 56 * 1024  # what the stand-ins for C modules take; on a board they take none
_BOOT_PY = "# This file is executed on every boot (including wake-boot from deepsleep)\n"


def parse_size(text: str | int) -> int:
    """Bytes from 2M, 256K or a number. Raises BoardError."""
    match = re.fullmatch(r"(\d+)([KM]?)", str(text).upper())
    if not match:
        raise BoardError(f"{text} is not a size; write it as 2M or 256K")
    return int(match[1]) * {"": 1, "K": 1024, "M": 1024 * 1024}[match[2]]


def parse_mac(text: str) -> list[int]:
    """Six bytes from 24:6f:28:aa:bb:cc. Raises BoardError."""
    if not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", text):
        raise BoardError(f"{text} is not a MAC; write it as 24:6f:28:aa:bb:cc")
    return [int(part, 16) for part in re.split("[:-]", text)]


def _free(kind: int) -> int:
    """A port of this machine that nobody listens on, for its access point."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Board:
    """A board that is off. Board(folder) opens one, Board.new(folder) makes one."""

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder).resolve()
        for name in ("board.json", "flash.img", "nvs.bin"):
            files.narrow(self.folder / name)
        try:
            self.settings = json.loads((self.folder / "board.json").read_text("utf-8"))
        except FileNotFoundError as error:
            raise BoardError(
                f"{folder} has no board.json; make a board with: dynreg board new {folder}"
            ) from error
        except (OSError, ValueError) as error:
            raise BoardError(f"{folder}/board.json cannot be read: {error}") from error
        self._power = Power()
        self._micropython = self.settings.get("micropython") or str(wheel.path())

    @classmethod
    def new(
        cls,
        folder: str | os.PathLike,
        *,
        mac: str | None = None,
        wifi: dict[str, str | None] | None = None,
        ntp: tuple[str, int] | None = None,
        dns: tuple[str, int] | None = None,
        flash_size: str | int = "2M",
        fs: str = "littlefs2",
        heap: str | int = "256K",
        umqtt: str | os.PathLike | None = None,
        urequests: str | os.PathLike | None = None,
        micropython: str | os.PathLike | None = None,
        slots: bool = False,
    ) -> Board:
        """Makes a board in a folder: flash.img, formatted by MicroPython, and board.json.

        Its files are its owner's alone (0600), and so is a folder that is made.

        mac: six bytes as text, else a random one of Espressif's. wifi: the access points in
        reach, name -> password (None or "": open). ntp: where ntptime asks, else it never gets an
        answer. dns: the name server that DHCP gives it, else this machine finds the names.
        flash_size: bytes of the file system, or "2M". umqtt: the umqtt/simple.py that the
        firmware freezes; $DYNREG_UMQTT, then .cache/firmware. urequests: $DYNREG_UREQUESTS, then
        the wheel's own.
        micropython: another unix port than the wheel's, such as one of 32 bits.
        slots: its firmware has two OTA slots, as MicroPython's OTA builds have.
        Raises BoardError.
        """
        folder = Path(folder)
        size = parse_size(flash_size)
        if fs not in FILE_SYSTEMS:
            raise BoardError(f"{fs} is not a file system; choose littlefs2 or fat")
        if size % 4096 or size < 64 * 1024:
            raise BoardError("a flash size is a multiple of 4K and at least 64K")
        if (folder / "board.json").exists():
            raise BoardError(f"{folder} already holds a board")
        parse_size(heap)
        for file in (umqtt, urequests):
            if file is not None and not Path(file).is_file():
                raise BoardError(f"{file} is not a file")
        if mac is None:
            mac = ":".join(f"{byte:02x}" for byte in (*_ESPRESSIF, *secrets.token_bytes(3)))
        else:
            mac = ":".join(f"{byte:02x}" for byte in parse_mac(mac))
        settings = {
            "mac": mac,
            "flash_size": size,
            "fs": fs,
            "wifi": dict(wifi or {}),
            "ntp": list(ntp) if ntp else None,
            "dns": list(dns) if dns else None,
            "heap": heap,
            "umqtt": str(Path(umqtt).resolve()) if umqtt else None,
            "urequests": str(Path(urequests).resolve()) if urequests else None,
            "micropython": str(Path(micropython).absolute()) if micropython else None,
            "slots": slots,
        }
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(folder / "flash.img", "wb", opener=files.private_opener) as file:
            erased = b"\xff" * 65536
            for _ in range(size // 65536):
                file.write(erased)
            file.write(erased[: size % 65536])
        files.write(folder / "boot.tmp", _BOOT_PY, files.PRIVATE)
        steps = [["format", "/", ""], ["write", "/boot.py", str((folder / "boot.tmp").resolve())]]
        try:
            interpreter = settings["micropython"] or str(wheel.path())
            image.run_steps(interpreter, (folder / "flash.img").resolve(), size, fs, steps)
        finally:
            (folder / "boot.tmp").unlink()
        text = json.dumps(settings, indent=2) + "\n"
        files.write(folder / "board.json", text, files.PRIVATE)
        return cls(folder)

    @property
    def mac(self) -> str:
        return self.settings["mac"]

    @property
    def unique_id(self) -> bytes:
        """What machine.unique_id() returns: the MAC's six bytes."""
        return bytes(parse_mac(self.mac))

    @property
    def flash_writes(self) -> int:
        """Flash programs and erases since the last power-on."""
        return self._power.counted[0]

    @property
    def flash_reads(self) -> int:
        """Reads of the flash since the last power-on, as Running.flash_reads has them."""
        return self._power.counted[1]

    def read_file(self, path: str) -> bytes:
        """A file on the board's flash while it is off. Raises OSError, BoardError."""
        return image.read_file(*self._offline(), path)

    def write_file(self, path: str, data: bytes | str) -> None:
        """Writes a file, making its folders, while the board is off."""
        self.write_files({path: data})

    def write_files(self, contents: Mapping[str, bytes | str]) -> None:
        """Writes files, making their folders, while the board is off."""
        image.write_files(*self._offline(), contents)

    def remove_file(self, path: str) -> None:
        """Removes a file while the board is off."""
        image.run_steps(*self._offline(), [["remove", path, ""]])

    def listdir(self, path: str = "/") -> list[str]:
        """The names in a folder of the board's flash, sorted, while it is off."""
        return image.run_steps(*self._offline(), [["list", path, ""]])[0]

    def _offline(self) -> tuple[str, Path, int, str]:
        if self._power.on:
            raise BoardError("the board is powered on; its flash is its own")
        settings = self.settings
        return (
            self._micropython,
            self.folder / "flash.img",
            settings["flash_size"],
            settings["fs"],
        )

    def power_on(
        self,
        power_cut: int | None = None,
        torn: str = "untouched",
        fast_forward: float | None = None,
        cable: bool = False,
    ) -> Running:
        """The board with power, for a with statement.

        power_cut: power is lost at that flash program or erase, counted from 1 at power-on; its
        block is left torn: untouched, half, erased or random; reordered: it is written, but the
        one changed first since the last sync is not. fast_forward: the program's waits
        take no time, for its clock goes on without them (firmware/_fast.py); the clock also runs
        that many times as fast as this machine's, 1 for no faster. cable: power comes by the USB
        cable and is lost with it, so that the port goes away too.
        """
        if torn not in TORN:
            raise BoardError(f"{torn} is not a torn state; choose {', '.join(TORN)}")
        if power_cut is not None and power_cut < 1:
            raise BoardError("flash writes are counted from 1")
        if fast_forward is not None and fast_forward <= 0:
            raise BoardError("a fast clock runs at more than 0 times the speed")
        return Running(
            self._power,
            lambda: Loop(*self._loop_settings(power_cut, torn, fast_forward, cable)),
        )

    def _loop_settings(
        self, power_cut: int | None, torn: str, fast_forward: float | None, cable: bool
    ) -> tuple[list[str], dict[str, Any]]:
        settings = self.settings
        start, frozen = freeze(self.folder, libraries(settings))
        heap = parse_size(settings["heap"]) + _FIRMWARE_HEAP
        command = [self._micropython, "-X", f"heapsize={heap}", str(start / "_start.py")]
        return command, {
            "mac": parse_mac(self.mac),
            "wifi": settings["wifi"],
            "ntp": settings["ntp"],
            "dns": settings.get("dns"),
            "fast": fast_forward,
            "fs": settings["fs"],
            "slots": settings.get("slots", False),
            "ports": {"80": _free(socket.SOCK_STREAM), "53": _free(socket.SOCK_DGRAM)},
            "size": settings["flash_size"],
            "image": str(self.folder / "flash.img"),
            "nvs": str(self.folder / "nvs.bin"),
            "files": frozen,
            "machine": MACHINE,
            "cut": power_cut,
            "torn": torn,
            "cable": cable,
            "link": str(self.folder / "port"),
        }
