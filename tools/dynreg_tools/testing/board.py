"""VirtualBoard: a virtual board and the hub that it registers with, for a test."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from .. import demo
from ..boards import content
from ..build.firmware_libraries import need_umqtt
from ..hub import Hub
from ..virtualboard import Board, Running

WIFI = {"bench": "a wifi password"}
CA = "/certs/hub_ca.der"
_MAIN = "/main.py"
_REGISTER = Path(__file__).with_name("register.py")
_REGISTERED = re.compile(r"registered\r?\n|>>> ")
_PEM_MARK = "-----"


def blank(folder: Path) -> Board:
    """A board without a file of ours, with a Wi-Fi in reach."""
    need_umqtt()
    return Board.new(folder, wifi=dict(WIFI))


def make_image(folder: Path) -> Path:
    """The folder of a board with the compiled library, boot.py and main.py on it."""
    board = blank(folder / "board")
    board.write_files(content.compiled_library() | content.programs())
    return board.folder


class VirtualBoard:
    """A context manager, at whose end what start() has started loses its power.

    `board` is the board itself, `hub` its hub. fast_forward: as Board.power_on() has it, for each
    start from now on.
    """

    def __init__(self, board: Board, hub: Hub) -> None:
        self.board = board
        self.hub = hub
        self.fast_forward: float | None = None
        self._power = ExitStack()

    @classmethod
    def copy_of(cls, image: Path, folder: Path, hub: Hub) -> Self:
        """A copy of a board that is off, with the hub's device_info.json, CA and time server."""
        shutil.copytree(image, folder)
        settings = folder / "board.json"
        values = json.loads(settings.read_text("utf-8")) | {"ntp": list(hub.ntp)}
        settings.write_text(json.dumps(values), "utf-8")
        made = cls(Board(folder), hub)
        made.board.write_file(CA, hub.ca_der.read_bytes())
        made.configure()
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._power.close()

    @property
    def name(self) -> str:
        """The device's name, as `{mac}` in device_info.json makes it."""
        return "esp32-" + self.board.unique_id.hex()

    def topic(self, last: str) -> str:
        """{productId}/{deviceName}/last."""
        return f"{self.hub.product_id}/{self.name}/{last}"

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Writes device_info.json for the hub; a change to None takes the key away."""
        values = json.loads(demo.batch_file(self.hub, WIFI["bench"]))
        values["auth_mode"] = self.hub.auth_mode.upper()
        values.update(changes)
        values = {key: value for key, value in values.items() if value is not None}
        self.board.write_file("/device_info.json", json.dumps(values, indent=2))
        return values

    def info(self) -> dict[str, Any]:
        """device_info.json as it is on the board, which is off."""
        return json.loads(self.board.read_file("/device_info.json"))

    def install(self, app: str | Path | Mapping[str, str | bytes]) -> None:
        """Puts a program onto the board: a folder with a main.py, or files by their paths.

        With it, the optional services that it imports.
        """
        files = app if isinstance(app, Mapping) else content.app_files(Path(app))
        data = {p: t.encode() if isinstance(t, str) else t for p, t in files.items()}
        self.board.write_files(content.compiled_services(content.services_of(data)) | data)

    def power_on(self, **how: Any) -> Running:
        """The board with power, for a with statement; `how` as Board.power_on() has it."""
        return self.board.power_on(**{"fast_forward": self.fast_forward, **how})

    def start(self, **how: Any) -> Running:
        """The board with power until the test ends."""
        return self._power.enter_context(self.power_on(**how))

    def stop(self) -> None:
        """Takes away the power that start() has given."""
        self._power.close()

    def boot(self, until: str | re.Pattern[str] = demo.SETTLED, timeout: float = 30) -> str:
        """Power on, until it says `until`; then Ctrl-C and off. All that it printed.

        until: text, or a pattern; our own main.py has settled at its heartbeat, any program at
        the prompt. TimeoutError, and AssertionError where a secret was printed.
        """
        with self.power_on() as running:
            running.wait_for(until, timeout)
            running.write("\x03")
            running.wait_repl()
            output = running.output
        self.check_secrets(output)
        return output

    def register(self, timeout: float = 30) -> None:
        """Boots once with a program that registers, logs in and ends; then with its own again.

        AssertionError, with what the board printed, where it did not come to that.
        """
        own = self.board.read_file(_MAIN)
        self.board.write_file(_MAIN, _REGISTER.read_bytes())
        output = self.boot(_REGISTERED, timeout)
        self.board.write_file(_MAIN, own)
        assert "registered\r\n" in output, output

    def check_secrets(self, output: str) -> None:
        """Fails where output holds one: of the console, of the hub, of a file in /certs."""
        for secret in (self.hub.product_secret, WIFI["bench"]):
            assert secret not in output
        for device in self.hub.devices():
            assert not device["psk"] or device["psk"] not in output
        for name in self.board.listdir("/certs"):
            text = self.board.read_file("/certs/" + name)
            if b"PRIVATE KEY-----" in text:
                lines = [x for x in text.decode().splitlines() if not x.startswith(_PEM_MARK)]
                assert lines
                for line in lines:  # however the line ends are printed
                    assert line not in output
