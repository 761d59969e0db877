"""Boards with a small flash, everything on them compiled, one for each file system."""

import json
import shutil
from pathlib import Path

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.virtualboard import Board

SECRET = "cG93ZXIgdGVzdHMgc2VjcmV0IQ=="
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n" + "Y2VydGlmaWNhdGU=\n" * 60 + "-----END CERTIFICATE-----\n"
)
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "cHJpdmF0ZSBrZXk=\n" * 80
    + "-----END RSA PRIVATE KEY-----\n"
)

CONFIG = {
    "auth_mode": "KEY",
    "productId": "POWERTESTS",
    "productSecret": "product-key-0042",
    "deviceName": "esp32-{mac}",
    "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
    "cert_deviceinfo": {
        "devCertFile": "YOUR_DEVICE_CERT_FILE_NAME",
        "devPrivateKeyFile": "YOUR_DEVICE_PRIVATE_KEY_FILE_NAME",
    },
    "region": "china",
    "own": {"kept": ["é", 1, None]},
}


def config(**changes) -> str:
    return json.dumps({**CONFIG, **changes}, indent=2, ensure_ascii=False)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Path:
    """lib/dynreg as .mpy, so that a boot takes little time."""
    folder = tmp_path_factory.mktemp("compiled")
    mpy.compile_library(folder)
    return folder


@pytest.fixture(scope="session")
def blank(tmp_path_factory, compiled):
    """blank(fs): the folder of a board with the library and nothing registered."""
    made = {}

    def board(fs: str) -> Path:
        if fs not in made:
            folder = tmp_path_factory.mktemp(fs) / "board"
            board = Board.new(folder, fs=fs, flash_size="384K", heap="512K")
            board.write_files(
                {
                    f"/lib/{file.relative_to(compiled).as_posix()}": file.read_bytes()
                    for file in compiled.rglob("*.mpy")
                }
            )
            made[fs] = folder
        return made[fs]

    return board


@pytest.fixture
def board_with(tmp_path, blank):
    """board_with(fs, files): a board of its own for the test, with these files on it."""

    def board(fs: str, files: dict[str, str]) -> Board:
        shutil.copytree(blank(fs), tmp_path / "board")
        board = Board(tmp_path / "board")
        for path, text in files.items():
            board.write_file(path, text)
        return board

    return board
