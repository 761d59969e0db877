"""Host names found as lwIP finds them, and a clock that skips what the program waits for."""

import json
import socket
import threading
import time

import pytest
from dnslib import RR, A, DNSRecord

from dynreg_tools.virtualboard import Board, BoardError
from tests_host.virtualboard.test_board_network import JOIN

ASK = """
import socket
def ask(name):
    t = time.ticks_ms()
    try:
        found = socket.getaddrinfo(name, 80)[0][-1]
    except OSError as error:
        found = error.errno
    print("found", found, time.ticks_diff(time.ticks_ms(), t) // 100 / 10)
"""


class NameServer(threading.Thread):
    """Answers each question by `answer(question)`, bytes or None; keeps when they came."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.questions, self.times = answer, [], []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = self.socket.getsockname()

    def run(self):
        while True:
            data, peer = self.socket.recvfrom(512)
            if not data:
                return
            self.questions.append(DNSRecord.parse(data))
            self.times.append(time.monotonic())
            if reply := self.answer(self.questions[-1]):
                self.socket.sendto(reply, peer)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.address)
        self.join(5)
        self.socket.close()


@pytest.fixture
def asked(tmp_path):
    """Runs ask(name) on a board with a name server; what it printed, as (found, seconds)."""

    def run(name, server, **power):
        board = Board.new(tmp_path / "b", wifi={"lab": "pw"}, dns=server)
        board.write_file("/main.py", JOIN + ASK + f"ask({name!r})\n")
        with board.power_on(**power) as running:
            running.wait_repl(15)
            line = running.output.split("found ")[1].splitlines()[0]
        found, _, seconds = line.rpartition(" ")
        return found, float(seconds)

    return run


def address(question):
    reply = question.reply()
    reply.add_answer(RR(question.q.qname, rdata=A("127.0.0.7"), ttl=1))
    return reply.pack()


def test_a_name_is_asked_for(asked):
    with NameServer(address) as server:
        assert asked("some.host.test", server.address) == ("('127.0.0.7', 80)", 0.0)
        (question,) = server.questions
        assert str(question.q.qname) == "some.host.test."
        assert (question.q.qtype, question.q.qclass, question.header.rd) == (1, 1, 1)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_numbers_and_localhost_are_not(asked, name):
    with NameServer(address) as server:
        assert asked(name, server.address)[0] == "('127.0.0.1', 80)"
        assert not server.questions


def test_silence_takes_four_questions_and_seven_seconds(asked):
    with NameServer(lambda _: None) as server:
        found, seconds = asked("some.host.test", server.address, fast_forward=20)
        assert found == "-202"
        assert 7 <= seconds < 8
        assert len(server.questions) == 4
        assert len({question.header.id for question in server.questions}) == 1
        first, second, third, fourth = server.times
        assert second - first < third - second + 0.05 < fourth - third + 0.1


def test_a_late_answer_to_the_second_question_counts(asked):
    seen = []

    def second(question):
        seen.append(question)
        return address(question) if len(seen) == 2 else None

    with NameServer(second) as server:
        found, seconds = asked("some.host.test", server.address, fast_forward=1)
        assert found == "('127.0.0.7', 80)"
        assert 1 <= seconds < 1.5


@pytest.mark.parametrize("rcode", [2, 3, 5])
def test_an_error_code_ends_it_at_once(asked, rcode):
    def answer(question):
        reply = question.reply()
        reply.header.rcode = rcode
        return reply.pack()

    with NameServer(answer) as server:
        assert asked("some.host.test", server.address) == ("-202", 0.0)
        assert len(server.questions) == 1


def test_nobody_there(asked):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = sock.getsockname()
    found, seconds = asked("some.host.test", server, fast_forward=1)
    assert found == "-202"
    assert 7 <= seconds < 8


WAITS = (
    JOIN
    + """
import json, select, socket
def took(what):
    t, u = time.ticks_ms(), time.time()
    what()
    return round(time.ticks_diff(time.ticks_ms(), t) / 1000), time.time() - u
def receive():
    s = socket.socket(); s.connect(socket.getaddrinfo("127.0.0.1", %d)[0][-1]); s.settimeout(20)
    try: s.recv(1)
    except OSError as error: assert error.errno == 116
def poll():
    s = socket.socket(); s.connect(socket.getaddrinfo("127.0.0.1", %d)[0][-1])
    p = select.poll(); p.register(s, select.POLLIN)
    assert not p.poll(30000)
    s.send(b"x"); assert p.poll(30000)
print("took", json.dumps([took(f) for f in (lambda: time.sleep(3600), receive, poll)]))
"""
)


def test_waits_take_no_time(tmp_path, echo_server):
    board = Board.new(tmp_path / "b", wifi={"lab": "pw"})
    board.write_file("/main.py", WAITS % (echo_server, echo_server))
    began = time.monotonic()
    with board.power_on(fast_forward=1) as running:
        running.wait_repl(15)
        took = json.loads(running.output.split("took ")[1].splitlines()[0])
    assert [ticks for ticks, _ in took] == [3600, 20, 30]
    assert [abs(clock - ticks) <= 1 for ticks, clock in took] == [True] * 3
    assert time.monotonic() - began < 10


def test_a_rate_is_above_0(tmp_path):
    with pytest.raises(BoardError, match="more than 0"):
        Board.new(tmp_path / "b").power_on(fast_forward=0)
