"""What a board printed is kept: with its time, for its owner alone, bounded, without secrets."""

import json
import os
import re
import secrets
from base64 import b64encode

import pytest

from dynreg_tools.boards import batch, logs
from dynreg_tools.boards.logs import Logs
from dynreg_tools.boards.redaction import HIDDEN, Redaction
from tests_host.fleet.batchfolder import make_info
from tests_host.modes import readable, umask

MAC = "24:6f:28:00:00:01"


def plain(text):
    return text


def lines_of(path):
    """The lines without their time, which each must have."""
    lines = path.read_text("utf-8").splitlines()
    found = [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.*)", line) for line in lines]
    return [one[1] if one else "no time" for one in found]


def test_each_attempt_is_kept_for_its_owner_alone(tmp_path):
    with umask(0):
        for text in ("one", "two\x1b[2J\ud800"):
            with Logs(tmp_path / "b.csv", plain).of(MAC, "p1") as log:
                log.line(text)
    head = f"-- p1  {MAC}"
    path = tmp_path / "b.logs" / "246f28000001.log"
    assert lines_of(path) == [head, "one", head, "two\\x1b[2J\\ud800"]
    assert readable(tmp_path / "b.logs") == {}


def test_what_ended_an_attempt_is_its_last_line(tmp_path):
    with pytest.raises(ValueError), Logs(tmp_path / "b.csv", plain).of(MAC, "p1") as log:
        raise ValueError("a reason")
    assert lines_of(tmp_path / "b.logs" / "246f28000001.log")[-1] == "-- ValueError: a reason"
    log.line("after the end")


def test_a_log_is_bounded_and_keeps_the_end(tmp_path):
    with Logs(tmp_path / "b.csv", plain).of(MAC, "p1") as log:
        for number in range(4000):
            log.line(f"{number} " + "x" * 100)
    files = sorted((tmp_path / "b.logs").iterdir())
    assert [file.name for file in files] == ["246f28000001.log", "246f28000001.old.log"]
    assert all(file.stat().st_size <= logs.LIMIT for file in files)
    assert lines_of(files[0])[-1].startswith("3999 ")
    assert readable(tmp_path / "b.logs") == {}


def test_a_mac_that_is_a_path_stays_in_the_folder(tmp_path):
    with Logs(tmp_path / "b.csv", plain).of("../../aa/etc/passwd\0", "p1") as log:
        log.line("here")
    with Logs(tmp_path / "b.csv", plain).of("/..", "p1") as log:
        log.line("nowhere: no digit of it is a MAC's")
    assert [path.name for path in (tmp_path / "b.logs").iterdir()] == ["aaecad.log"]
    assert [path.name for path in tmp_path.iterdir()] == ["b.logs"]


def refuse(*_):
    raise PermissionError


@pytest.mark.parametrize("what", ["file", "read-only", "full"])
def test_a_log_that_cannot_be_written_ends_nothing(tmp_path, what, monkeypatch):
    if what == "file":
        (tmp_path / "b.logs").write_text("")
    elif what == "read-only":
        monkeypatch.setattr(os, "open", refuse)
    else:
        (tmp_path / "b.logs").mkdir()
        (tmp_path / "b.logs" / "246f28000001.log").symlink_to("/dev/full")
    with Logs(tmp_path / "b.csv", plain).of(MAC, "p1") as log:
        log.line("one")
        log.line("two")


def test_without_a_report_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Logs(None, plain).of(MAC, "p1") as log:
        log.line("one")
    assert list(tmp_path.iterdir()) == []


# ---- redaction


@pytest.fixture
def known(tmp_path):
    """(the batch's values, its redaction)"""
    values = make_info(tmp_path, wifi={"ssid": "bench", "password": 'pa"ss wörd\\'})
    return values, Redaction(batch.read(tmp_path / "device_info.json"))


def forms(text):
    data = text.encode()
    yield from (text, json.dumps(text)[1:-1], repr(text)[1:-1], repr(data)[2:-1])
    yield from (data.hex(), data.hex().upper(), b64encode(data).decode())


def test_the_batchs_own_secrets_in_whatever_form(known):
    values, redact = known
    for secret in (values["productSecret"], values["wifi"]["password"]):
        for form in forms(secret):
            assert redact(f"I have {form}!") == f"I have {HIDDEN}!"


def test_secrets_that_nobody_here_knows(known):
    _, redact = known
    device = b64encode(secrets.token_bytes(16)).decode()
    for shown in (
        device,
        f'{{"deviceSecret": "{device}"}}',
        f"{{'key_deviceinfo': {{'deviceSecret': '{device}'}}}}",
        f'"{{\\"psk\\": \\"{device}\\"}}"',
        f"b'{device}'",
        f"secret={device}",
        f"http://h/?deviceSecret={device}&x=1",
        secrets.token_bytes(16).hex(),
        "password: hunter2, ssid: bench",
        "password: letmein",
        "{password: letmein}",
        'wifi_password = "with blanks in it"',
    ):
        text = redact(shown)
        assert HIDDEN in text
        assert device not in text
        assert "hunter2" not in text
        assert "letmein" not in text
        assert "blanks" not in text


def test_a_private_keys_lines(known):
    _, redact = known
    for size in (48, 32):  # a PEM's whole line, and its last
        line = b64encode(secrets.token_bytes(size)).decode()
        assert redact(line) == HIDDEN


@pytest.mark.parametrize(
    "line",
    [
        "    0.211 INFO  register: credential 64b0b070 obtained",
        "    0.216 INFO  connect: mqtts://ABCDEFGHIJ.iotcloud.tencentdevices.com:8883",
        "    0.223 INFO  connect: CONNACK 0, psk",
        "    0.3 ERROR wifi: no way into bench [network.wifi]; again in 2 s",
        "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
        "MicroPython v1.29.0 on 2026-08-01; Generic ESP32 module with ESP32\r",
        '  File "/lib/dynreg/connect/first_clock/and/a/longer/path.py", line 1, in poll',
        "ValueError: secret",
        "the cloud gives each name one secret: write {mac} into deviceName",
        "device_info.json: productSecret has 5 characters: copy the 16 to 32 characters of it",
        'dynreg: {"mac": "246f28000001", "fingerprint": "64b0b070", "tls": "psk", "error": null}',
    ],
)
def test_what_is_no_secret_stays_as_it_is(known, line):
    assert known[1](line) == line
