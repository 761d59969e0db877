"""A FAKE: no chip, but a pty that speaks enough of the ROM loader's protocol for esptool.

It stands for a board on its USB cable: chip detection, MAC, flash id, upload of esptool's stub
(which it then pretends to be), erasing, writing (plain and deflated), reading and MD5 of a flash
that is a bytearray. What it cannot show: reset lines (a pty has none, so it enters its loader when
a SYNC comes), baud rates, timing, differences of flash chips, security fuses, USB that goes away.
What must be seen on hardware stands in docs/hardware.md.

Source: the "Serial Protocol" page of esptool's documentation; register addresses are esptool's.
With `board` it is a virtual board that runs until SYNC comes, and again once it is reset: its
files and its NVS are those that were written meanwhile (boardflash.py). For a reset it takes that
the host talks at the ROM's baud rate again after another one, or types what is no packet.
"""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import struct
import termios
import threading
import zlib

from esptool.targets import CHIP_DEFS

from dynreg_tools.demo import SETTLED
from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.serialport import SerialPort, read_pty
from tests_host.fleet import boardflash

SECTOR = 4096
SYNC = bytes.fromhex("c00008240000000000070712205555")
_HEADER = struct.Struct("<BBHI")
_SPI_USR, _RDID, _SFDP = 1 << 18, 0x9F, 0x5A


class RomLoader(threading.Thread):
    """For a with statement; port is the pty's name. Look at flash, written, erased, commands.

    chip: esptool's key ("esp32c3"). flash_size: bytes, a power of two. held: BOOT is held, so that
    a board does not start before. bad_byte: address of a byte that does not take what is written.
    unplug_after: how many FLASH_DATA it answers.
    """

    def __init__(
        self,
        chip="esp32",
        flash_size=4 << 20,
        mac="246f28000001",
        board=None,
        firmware=b"",
        held=False,
    ):
        super().__init__(daemon=True)
        self.chip = CHIP_DEFS[chip]
        self.flash = bytearray(b"\xff") * flash_size
        start = self.chip.BOOTLOADER_FLASH_OFFSET
        self.flash[start : start + len(firmware)] = firmware
        self.mac = bytes.fromhex(mac)
        self.written: list[tuple[int, int]] = []  # (address, bytes) of each write begun
        self.erased = False
        self.commands: list[int] = []
        self.bad_byte: int | None = None
        self.unplug_after: int | None = None
        self.on_data = lambda count: None
        self._data_blocks = 0
        self._registers = self._fuses()
        self._in_stub = False
        self._stop_r, self._stop_w = os.pipe()
        self._serial = SerialPort()
        self._input = bytearray()
        self._board: Board | None = board
        self._running, self._cable = None, -1  # the virtual board with power, its port
        self._in_loader = board is None or held
        # of the board, when it entered the loader
        self._nvs = boardflash.here(board, self.flash) if board and held else b""
        self._fast = False  # the host has asked for another baud rate, and talks at it
        self._cursor, self._inflate, self._ends = 0, None, 0

    @property
    def port(self) -> str:
        return self._serial.name

    def __enter__(self) -> RomLoader:
        if not self._in_loader:
            self._start_board()
        if self._running is not None:
            self._running.wait_for(SETTLED)
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        os.write(self._stop_w, b"x")
        self.join(10)
        self._stop_board()
        self._serial.close()
        os.close(self._stop_r)
        os.close(self._stop_w)

    def unplug(self) -> None:
        """The cable is out, and the board without power; called by on_data."""
        self._serial.close()
        self._input.clear()
        self._in_stub, self._fast = False, False

    def plug_in(self) -> None:
        """Its flash is not whole, so it comes back in its loader, at another port."""
        self._serial = SerialPort()

    def run(self) -> None:
        while True:
            poller = select.poll()
            poller.register(self._stop_r, select.POLLIN)
            if self._cable >= 0:
                poller.register(self._cable, select.POLLIN)
            wait = self._serial.watch(poller)
            if self._in_loader and self._board is not None:
                wait = min(wait, 0.05)
            ready = dict(poller.poll(max(wait, 0) * 1000))
            if self._stop_r in ready:
                return
            self._look_for_reset()
            if self._cable in ready:
                self._serial.send(read_pty(self._cable) or b"")
            if self._serial.fd in ready:
                self._take(self._serial.serve(ready[self._serial.fd]))

    # ---- the virtual board at its prompt

    def _take(self, data: bytes) -> None:
        if self._board is not None:
            at = data.find(SYNC)
            if at >= 0 and not self._in_loader:
                data = data[at:]
                self._stop_board()
                self._nvs = boardflash.here(self._board, self.flash)
                self._in_loader = True
            elif data and not self._input and data[:1] != b"\xc0":
                self._leave_loader()
            if not self._in_loader:
                os.write(self._cable, data)
                return
        self._input += data
        while self._input.count(b"\xc0") >= 2:
            start = self._input.index(b"\xc0")
            end = self._input.index(b"\xc0", start + 1)
            frame = bytes(self._input[start + 1 : end])
            if not frame:  # two ends in a row: the second one is a start
                del self._input[: start + 1]
                continue
            del self._input[: end + 1]
            self._frame(frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))

    def _look_for_reset(self) -> None:
        """A pty has no reset lines, but its baud rate is seen at both ends."""
        if self._board is None or not self._in_loader or self._serial.fd < 0:
            return
        fast = termios.tcgetattr(self._serial.fd)[4] != termios.B115200
        if self._fast and not fast:
            self._leave_loader()
        self._fast = fast

    def _leave_loader(self) -> None:
        if not self._in_loader:
            return
        self._in_stub, self._in_loader, self._fast = False, False, False
        self._input.clear()
        boardflash.back(self._board, self.flash, self._nvs)
        if self.erased and not self.flash[boardflash.FILES :].strip(b"\xff"):
            folder, mac = self._board.folder, self._board.mac
            settings = (folder / "board.json").read_text()
            shutil.rmtree(folder)
            Board.new(folder, mac=mac)
            (folder / "board.json").write_text(settings)
            self._board = Board(folder)
        self._start_board()

    def _start_board(self) -> None:
        if self._board is not None:
            self._running = self._board.power_on().__enter__()
            self._cable = os.open(self._running.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def _stop_board(self) -> None:
        if self._running is not None:
            os.close(self._cable)
            self._cable = -1
            self._running.__exit__(None, None, None)
            self._running = None

    # ---- the loader

    def _frame(self, frame: bytes) -> None:
        if self._reading:
            self._acknowledged(frame)
            return
        if len(frame) < _HEADER.size or frame[0] != 0:
            return
        _, command, size, checksum = _HEADER.unpack_from(frame)
        self.commands.append(command)
        data = frame[_HEADER.size : _HEADER.size + size]
        handler = self._HANDLERS.get(command)
        if handler is None:
            self._answer(command, failed=5)
            return
        handler(self, command, data, checksum)

    def _answer(self, command: int, value=0, data=b"", failed=0) -> None:
        status = bytes((1 if failed else 0, failed)) + (b"" if self._in_stub else b"\0\0")
        self._send(_HEADER.pack(1, command, len(data) + len(status), value) + data + status)

    def _send(self, packet: bytes) -> None:
        escaped = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        self._serial.send(b"\xc0" + escaped + b"\xc0")

    def _fuses(self) -> dict[int, int]:
        high, low = int.from_bytes(self.mac[:2]), int.from_bytes(self.mac[2:])
        first = getattr(self.chip, "MAC_EFUSE_REG", None)
        if first is None:  # the ESP32 has its MAC in words 1 and 2
            first = self.chip.EFUSE_RD_REG_BASE + 4
        registers = {first: low, first + 4: high}
        if self.chip.USES_MAGIC_VALUE:
            registers[self.chip.CHIP_DETECT_MAGIC_REG_ADDR] = self.chip.MAGIC_VALUE
        if self.chip.CHIP_NAME == "ESP32-C2":  # its revision 0 does not bear the stub
            registers[self.chip.EFUSE_BLOCK2_ADDR + 4] |= 1 << 20
        return registers

    def _sync(self, command, data, checksum) -> None:
        for _ in range(8):
            self._answer(command, 0 if self._in_stub else 0x55551220)

    def _ok(self, command, data, checksum) -> None:
        self._answer(command)

    def _security_info(self, command, data, checksum) -> None:
        if self.chip.CHIP_NAME == "ESP32":
            self._answer(command, failed=5)
            return
        info = bytes(12)
        if not self.chip.USES_MAGIC_VALUE:
            info += struct.pack("<II", self.chip.IMAGE_CHIP_ID, 0)
        self._answer(command, data=info)

    def _read_reg(self, command, data, checksum) -> None:
        self._answer(command, self._registers.get(struct.unpack("<I", data)[0], 0))

    def _write_reg(self, command, data, checksum) -> None:
        address, value, mask, _ = struct.unpack_from("<IIII", data)
        base = self.chip.SPI_REG_BASE
        if address == base and value & _SPI_USR:
            asked = self._registers.get(base + self.chip.SPI_USR2_OFFS, 0) & 0xFF
            size_id = len(self.flash).bit_length() - 1
            reply = {_RDID: size_id << 16 | 0x40C8, _SFDP: 0x50444653}.get(asked, 0)
            self._registers[base + self.chip.SPI_W0_OFFS] = reply
            value &= ~_SPI_USR  # done
        old = self._registers.get(address, 0)
        self._registers[address] = (old & ~mask) | (value & mask)
        self._answer(command)

    def _mem_end(self, command, data, checksum) -> None:
        stay, _ = struct.unpack("<II", data)
        self._answer(command)
        if not stay:
            self._in_stub = True
            self._send(b"OHAI")

    def _flash_begin(self, command, data, checksum) -> None:
        size, _, _, address = struct.unpack_from("<IIII", data)
        if size:  # nothing is begun to leave the stub
            self.written.append((address, size))
        self._cursor, self._inflate = address, zlib.decompressobj() if command == 0x10 else None
        self._ends = address + size
        first, last = address // SECTOR, -(-(address + size) // SECTOR)
        self._erase(first * SECTOR, (last - first) * SECTOR)
        self._answer(command)

    def _flash_data(self, command, data, checksum) -> None:
        self._data_blocks += 1
        self.on_data(self._data_blocks)
        if self.unplug_after is not None and self._data_blocks > self.unplug_after:
            return
        (size,) = struct.unpack_from("<I", data)
        block = data[16 : 16 + size]
        sum_ = 0xEF
        for byte in block:
            sum_ ^= byte
        if sum_ != checksum:
            self._answer(command, failed=7)
            return
        if self._inflate:
            block = self._inflate.decompress(block)
        block = block[: self._ends - self._cursor] if self._in_stub else block
        self._program(self._cursor, block)
        self._cursor += len(block)
        self._answer(command)

    def _flash_end(self, command, data, checksum) -> None:
        self._answer(command)
        if not any(data):  # not "stay": back to the ROM's own loader
            self._in_stub = False

    def _md5(self, command, data, checksum) -> None:
        address, size, _, _ = struct.unpack("<IIII", data)
        digest = hashlib.md5(self.flash[address : address + size])
        self._answer(
            command, data=digest.digest() if self._in_stub else digest.hexdigest().encode()
        )

    def _erase_all(self, command, data, checksum) -> None:
        self.erased = True
        self._erase(0, len(self.flash))
        self._answer(command)

    def _read_slow(self, command, data, checksum) -> None:
        address, size = struct.unpack("<II", data)
        self._answer(command, data=bytes(self.flash[address : address + size]).ljust(64, b"\0"))

    _reading: tuple[bytes, int] | None = None  # what is asked for, and the frame's size

    def _read(self, command, data, checksum) -> None:
        address, size, block, _ = struct.unpack("<IIII", data)
        self._answer(command)
        self._reading = bytes(self.flash[address : address + size]), block
        self._send(self._reading[0][:block])

    def _acknowledged(self, frame: bytes) -> None:
        data, block = self._reading
        (done,) = struct.unpack("<I", frame)
        if done < len(data):
            self._send(data[done : done + block])
            return
        self._reading = None
        self._send(hashlib.md5(data).digest())

    # ---- the flash: erasing sets bits, programming only clears them

    def _erase(self, address: int, size: int) -> None:
        self.flash[address : address + size] = b"\xff" * size

    def _program(self, address: int, data: bytes) -> None:
        there = int.from_bytes(self.flash[address : address + len(data)])
        result = bytearray((there & int.from_bytes(data)).to_bytes(len(data)))
        if self.bad_byte is not None and address <= self.bad_byte < address + len(data):
            result[self.bad_byte - address] ^= 0x10
        self.flash[address : address + len(data)] = result

    _HANDLERS = {  # noqa: RUF012
        0x02: _flash_begin,
        0x03: _flash_data,
        0x04: _flash_end,
        0x05: _ok,  # MEM_BEGIN
        0x06: _mem_end,
        0x07: _ok,  # MEM_DATA
        0x08: _sync,
        0x09: _write_reg,
        0x0A: _read_reg,
        0x0B: _ok,  # SPI_SET_PARAMS
        0x0D: _ok,  # SPI_ATTACH
        0x0E: _read_slow,
        0x0F: _ok,  # CHANGE_BAUDRATE
        0x10: _flash_begin,  # deflated
        0x11: _flash_data,
        0x12: _ok,
        0x13: _md5,
        0x14: _security_info,
        0xD0: _erase_all,
        0xD2: _read,
    }
