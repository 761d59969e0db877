"""What the running hub prints: lines in a terminal, JSON in a pipe, and readers that stop."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from dynreg_tools.commands import hub_lines, hub_output
from dynreg_tools.sources import ROOT
from tests_host.fleet import terminal

HUB = [sys.executable, "-m", "dynreg_tools", "hub", "--cert-key", "ec"]
QUESTION = b"\x1b" + bytes(47)


def environment(tmp_path, **more):
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return inherited | {"XDG_RUNTIME_DIR": str(tmp_path), "TERM": "xterm-256color"} | more


@contextmanager
def hub(tmp_path, *options):
    """(process, its first line) of a hub that prints into a pipe."""
    with subprocess.Popen(
        [*HUB, *options],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.process
def test_what_happens_while_it_starts_comes_behind_the_first_line(tmp_path):
    with hub(tmp_path, "--fault", "tcp-refuse", "--stop-after", "0") as (process, ready):
        assert ready["ready"] is True
        names = [json.loads(line)["event"] for line in process.stdout]
        assert process.wait(20) == 0
    assert names == ["fault_on", "fault"]


def ask_time(ready, times):
    """How many of so many questions were answered."""
    host, port = ready["ntp"].split(":")
    answered = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        for _ in range(times):
            sock.sendto(QUESTION, (host, int(port)))
            try:
                answered += len(sock.recv(100)) > 0
            except TimeoutError:
                continue
    return answered


@pytest.mark.process
def test_a_reader_that_stops_reading_does_not_stop_the_hub(tmp_path):
    with hub(tmp_path) as (process, ready):
        answered = ask_time(ready, hub_output.KEPT + 5000)
        assert answered > hub_output.KEPT + 4000
        with httpx.Client(base_url=ready["control"], timeout=10) as api:
            assert api.get("/product").status_code == 200
        rows = []
        while not rows or rows[-1]["event"] != "dropped":
            rows.append(json.loads(process.stdout.readline()))
            if len(rows) == 1:
                time.sleep(0.5)  # there is room again, and the next event says what was dropped
                answered += ask_time(ready, 1)
        process.terminate()
        rows += [json.loads(line) for line in process.stdout]
        assert process.wait(20) == 0
    told = [row for row in rows if row["event"] == "time_served"]
    dropped = [row["count"] for row in rows if row["event"] == "dropped"]
    assert min(dropped) > 0
    assert len(told) + sum(dropped) == answered


@pytest.mark.process
def test_a_hub_that_says_it_is_ready_is_found(tmp_path):
    with hub(tmp_path) as (_, ready):
        [file] = (tmp_path / "dynreg" / "hubs").iterdir()
        assert json.loads(file.read_text())["workbench"] == ready["workbench"]


@pytest.mark.process
def test_a_hub_whose_reader_has_stopped_ends_at_a_signal(tmp_path):
    with hub(tmp_path) as (process, ready):
        ask_time(ready, 3000)  # more than a pipe holds
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    assert list((tmp_path / "dynreg" / "hubs").iterdir()) == []


def in_a_terminal(tmp_path, *options, **more):
    """(exit code, output) of a hub in a terminal that gets a request with control characters."""

    def speak(_):
        [file] = (tmp_path / "dynreg" / "hubs").iterdir()
        page = json.loads(file.read_text())["workbench"].rstrip("/")
        with httpx.Client(base_url=page, timeout=10) as api:
            api.post("/devices", json={"names": ["lamp-1"]})
            addresses = api.get("/product").json()["addresses"]
            httpx.get(addresses["http"] + "/%1b[31m")
            with socket.create_connection(addresses["http"][7:].split(":"), 5) as sock:
                sock.sendall(b"GET /\x9b31m\xff HTTP/1.1\r\nHost: a\r\n\r\n")
                sock.recv(1000)

    return terminal.run(
        [*HUB, "--stop-after", "2", *options],
        ROOT,
        environment(tmp_path, **more),
        typed=[(b"every event is a line", speak)],
    )


@pytest.mark.process
def test_readable_lines_in_a_terminal(tmp_path):
    code, output = in_a_terminal(tmp_path)
    assert code == 0
    assert "\x1b[1mhttp://127.0.0.1:" in output  # the page's URL stands out
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in output.splitlines()]
    assert lines[0].startswith("product  ")
    assert [line for line in lines if re.fullmatch(r"\d\d:\d\d:\d\d  precreated +lamp-1", line)]


@pytest.mark.process
def test_no_colours_and_nothing_raw_where_they_are_unwanted(tmp_path):
    code, output = in_a_terminal(tmp_path, NO_COLOR="1", TERM="dumb")
    assert code == 0
    assert "http_bad" in output
    assert [char for char in output if not char.isprintable() and char not in "\r\n"] == []


@pytest.mark.process
def test_json_in_a_terminal_when_asked_for(tmp_path):
    with subprocess.Popen(
        [*HUB, "--json", "--stop-after", "0"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert json.loads(process.communicate(timeout=20)[0])["ready"] is True


EVENT = {
    "event": "publish",
    "at": "2026-11-28T07:44:09.123Z",
    "conn": 1,
    "client_id": "ABCDEFGHIJlamp-1",
    "topic": "ABCDEFGHIJ/lamp-1/event",
    "qos": 0,
    "size": 7,
}


def test_a_line():
    lines = hub_lines.Lines("ABCDEFGHIJ")
    line = "07:44:09  publish        lamp-1 ABCDEFGHIJ/lamp-1/event  qos 0  size 7"
    assert lines.event(EVENT) == line
    assert lines.event(EVENT | {"payload": {"text": '{ "a": [1,\n2] }'}}) == line + '  {"a":[1,2]}'
    assert lines.event(EVENT | {"payload": {"text": "on\n"}}) == line + '  "on\\n"'
    assert lines.event(EVENT | {"payload": {"hex": "00ff"}}) == line + "  hex 00ff"
    assert lines.event(EVENT | {"payload": {"text": "x" * 200}}).endswith("xxx… (42 more)")


@pytest.mark.parametrize(
    "foul", ["\x1b[2J", "\r", "\n", "\x07", "\x9b31m", "\u202e", "\ud800", "\0"]
)
def test_nothing_that_a_terminal_obeys(foul):
    lines = hub_lines.Lines("ABCDEFGHIJ")
    for key in EVENT | {"payload": None, "reason": None, "\x1b": None}:
        value = {"text": f'["{foul}"] {foul}'} if key == "payload" else f"a{foul}b"
        shown = lines.event(EVENT | {key: value})
        assert [char for char in shown if not char.isprintable()] == []


def test_markup_is_no_markup():
    assert "[bold]:smile:[/bold]" in hub_lines.Lines("").event(
        {"event": "x", "a": "[bold]:smile:[/bold]"}
    )


def test_a_terminal_that_is_closed_ends_the_hub(monkeypatch):
    gone = []

    def closed(_):
        raise BrokenPipeError

    monkeypatch.setattr(hub_output, "_write", closed)
    with hub_output.Output(json.dumps, gone=lambda: gone.append(True)) as output:
        output.begin("first")
    assert gone == [True]
