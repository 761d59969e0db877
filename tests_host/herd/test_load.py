"""The load run, small: all sessions stay open, each answer goes where it belongs, and a wrong one
is found."""

import asyncio
import json

import pytest

from dynreg_tools import cli
from dynreg_tools.bench import herd, load
from dynreg_tools.bench.errors import BenchError
from dynreg_tools.bench.loadsessions import PRODUCT, Run, Session

ANSWER = b'{"type":"get","time":1,"ntptime1":1,"ntptime2":1}'


class Wire:
    """A transport that notes what is written."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)


def text(value):
    return len(value).to_bytes(2, "big") + value.encode()


def time_answer(name):
    body = text(f"$sys/operation/result/{PRODUCT}/{name}") + ANSWER
    return bytes((0x30, len(body))) + body


async def asked(number, *answers):
    """(answers that were right, wrong ones) of a request of a session that is logged in."""
    run = Run()
    session = Session(run, "d7", b"key")
    session.connection_made(Wire())
    session.data_received(b"\x20\x02\0\0\x90\x03\0\x01\0\x90\x03\0\x02\0")
    assert session.ready.done()
    run._until = 0  # no further request
    run.pending = 1
    session.request(number)
    for answer in answers:
        session.data_received(answer)
    return len(run.took), run.wrong


def data(number, name="d7"):
    body = text(f"{PRODUCT}/{name}/data") + b"%d" % number
    return bytes((0x30, len(body))) + body


@pytest.mark.parametrize(
    "number, answers, found",
    [
        (1, [data(1)], (1, 0)),
        (1, [data(1)[:9], data(1)[9:]], (1, 0)),
        (1, [data(3)], (0, 1)),
        (1, [data(1, "d8")], (0, 1)),
        (1, [time_answer("d7")], (0, 1)),
        (1, [data(1) + data(1)], (1, 1)),
        (2, [time_answer("d7")], (1, 0)),
        (2, [time_answer("d8")], (0, 1)),
        (2, [data(2)], (0, 1)),
    ],
)
def test_only_the_one_right_answer_counts(number, answers, found):
    assert asyncio.run(asked(number, *answers)) == found


@pytest.mark.ci
@pytest.mark.process
def test_a_small_load(capsys):
    args = ["--sessions", "30", "--tls-sessions", "5", "--seconds", "0.3", "--in-flight", "10"]
    assert cli.main(["herd", "--load", "--json", *args]) == 0
    tcp, tls = json.loads(capsys.readouterr().out)
    for one, sessions in ((tcp, 30), (tls, 5)):
        assert one["sessions"] == sessions
        assert one["round_trips"] >= min(10, sessions)
        assert one["wrong"] == 0
        assert one["lost"] == 0


def test_what_was_wrong_is_the_exit_code(monkeypatch, capsys):
    figures = load.Figures(1, 2, 3, 4, 5, 6, 7, 0, None)
    monkeypatch.setattr(load, "run", lambda _: figures)
    assert cli.main(["herd", "--load", "--tls-sessions", "0"]) == 1
    assert "| wrong messages | 7 |" in capsys.readouterr().out


def test_more_sessions_than_the_system_has_files_for(monkeypatch):
    monkeypatch.setattr(load.resource, "getrlimit", lambda _: (64, 128))
    with pytest.raises(BenchError, match="1,100 open files are needed, the system allows 128"):
        load.run(load.Load(1000, 1, 1, False))


def test_the_page_has_a_place_for_the_figures():
    written = herd.page(herd.PAGE.read_text("utf-8"), "| new |\n", herd.LOAD_BEGIN)
    assert "| new |" in written
    assert written.count(herd.BEGIN) == 1
    assert "## Another site" in written
