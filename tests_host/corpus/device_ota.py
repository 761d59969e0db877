"""What an Updater makes of messages, what it tells the cloud, and what it keeps."""

import json
from binascii import crc32

import fakes
import packets
from broker import connected
from dynreg import port
from dynreg.errors import ProtocolError
from dynreg.services import ota

UPDATE = "$ota/update/ABCDEFGHIJ/dev-01"
REPORT = "$ota/report/ABCDEFGHIJ/dev-01"
MD5 = "0" * 32
JOB = {"version": "1.1", "md5sum": MD5, "url": "https://files.test/1", "file_size": 100}


class Reset(BaseException):
    """machine.reset() was called."""


def reset():
    raise Reset


class Bench:
    """An Updater; kept: each state that it writes. steps: what stands for a step, by its name."""

    def __init__(self, state=None, steps=None):
        self.bench = connected()
        self.session, self.peer = self.bench.session, self.bench.peer
        self.clock = self.bench.clock
        self.kept = []
        self.steps = steps or {}
        self._step = port.step
        fakes.replace(port, "step", self.step)
        fakes.replace(ota, "_read", lambda: dict(state or {}))
        fakes.module("machine", fakes.Namespace(reset=reset))
        self.updater = ota.Updater(self.session)

    def step(self, module, name, *arguments):
        if name == "replace":
            path, data = arguments
            assert path == "/ota.state"
            assert int(data[:8], 16) == crc32(data[8:])
            self.kept.append(json.loads(data[8:]))
            return None
        if name in self.steps:
            return self.steps[name](*arguments)
        return self._step(module, name, *arguments)

    def start(self, pubacks=1):
        """The first poll: subscribed, and all that was due is told."""
        self.peer.expect(packets.suback(1, 1), *(packets.puback(2 + i) for i in range(pubacks)))
        self.updater.poll()
        told = self.reports()
        del self.peer.segments[:]
        return told

    def reports(self):
        """What was reported, in order: ("version", version) or (state, code, version)."""
        found = []
        stream = self.peer.sent
        while stream:
            at = [0]

            def take(count, at=at, stream=stream):
                at[0] += count
                return stream[at[0] - count : at[0]]

            head, body = packets.read(take)
            stream = stream[at[0] :]
            if head >> 4 == 3:
                size = 2 + len(REPORT)
                assert body[2:size] == REPORT.encode()
                message = json.loads(body[size + 2 :])
                report = message["report"]
                if message["type"] == "report_version":
                    found.append(("version", report["version"]))
                else:
                    progress = report["progress"]
                    code = progress["result_code"]
                    assert isinstance(code, str)
                    found.append((progress["state"], int(code), report["version"]))
        return found

    def say(self, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.peer.say(packets.publish(UPDATE, data))
        self.session.poll(0)

    def offer(self, **changes):
        message = dict(JOB, type="update_firmware")
        message.update(changes)
        self.say(message)


def running(**state):
    bench = Bench(dict({"run": "a", "version": "1.0"}, **state))
    bench.start()
    return bench


def test_the_version_is_told_on_each_connection():
    bench = Bench({"run": "a", "version": "1.0"})
    assert bench.start() == [("version", "1.0")]
    bench.updater.poll()
    assert bench.peer.segments == []
    bench.clock.passed += 1
    bench.session.since = bench.clock.ticks_ms()
    bench.peer.expect(packets.puback(3))
    bench.updater.poll()
    assert bench.reports() == [("version", "1.0")]


def test_without_a_state_it_is_version_0():
    assert Bench().start() == [("version", "0")]


def test_without_a_connection_nothing_is_done():
    bench = Bench(dict(run="a", version="1.0", job=JOB))
    bench.session.close()
    bench.updater.poll()
    assert bench.peer.segments == []


def test_how_an_update_ended_is_told_before_the_version_and_once():
    bench = Bench(dict(run="a", version="1.0", tell=["1.1", -4, "another hash"]))
    assert bench.start(2) == [("fail", -4, "1.1"), ("version", "1.0")]
    assert bench.kept == [{"run": "a", "version": "1.0", "job": None}]


def test_an_update_is_kept_before_anything_else():
    bench = running()
    bench.offer()
    assert bench.kept == [dict(run="a", version="1.0", job=JOB, tell=None)]


def test_the_same_again_is_no_write_and_another_url_is_one():
    bench = running()
    bench.offer()
    bench.offer()
    assert len(bench.kept) == 1
    bench.offer(url="https://files.test/2")
    assert bench.kept[1]["job"]["url"] == "https://files.test/2"


def test_a_newer_one_takes_its_place():
    bench = running()
    bench.offer()
    bench.offer(version="1.2")
    assert bench.kept[1]["job"]["version"] == "1.2"


def test_hostile_messages_change_nothing():
    bench = running()
    good = dict(JOB, type="update_firmware")
    for message in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 2000,
        {},
        {"type": "update_firmware"},
        {"type": ["update_firmware"]},
        {"type": "report_version_rsp", "result_code": 0},
        {"type": "report_version_rsp"},
        dict(good, version=""),
        dict(good, version="x" * 33),
        dict(good, version=["x" * 40]),
        dict(good, file_size="many"),
        dict(good, file_size=None),
        dict(good, file_size=[]),
    ):
        bench.say(message)
        assert bench.session.connected, message
        assert bench.kept == [], message


def test_strange_values_end_in_a_refusal_and_nothing_else():
    for changes in (dict(url=7), dict(url=None), dict(md5sum={}), dict(file_size="100")):
        bench = running()
        bench.offer(**changes)
        assert isinstance(bench.kept[0]["job"]["url"], str)
        assert bench.kept[0]["job"]["file_size"] == 100


def test_the_running_version_is_refused():
    bench = running()
    bench.offer(version="1.0")
    assert bench.kept[0]["tell"] == ["1.0", -5, "it is the running version"]
    bench.peer.expect(packets.puback(3), packets.puback(4))
    bench.updater.poll()
    assert bench.reports() == [("fail", -5, "1.0"), ("version", "1.0")]


def trial(**more):
    state = dict(run="b", version="1.1", back=["a", "1.0"], boots=2, seconds=60)
    return Bench(dict(state, **more))


def test_an_update_during_a_trial_waits():
    bench = trial()
    bench.start()
    bench.offer(version="1.2")
    assert bench.kept == []
    assert "waits" in bench.bench.words()


def test_confirmed():
    bench = trial(seconds=0)
    assert bench.updater.trial
    bench.updater.confirm()
    bench.updater.confirm()
    assert bench.kept == [dict(run="b", version="1.1", tell=["1.1", 0, ""])]
    assert not bench.updater.trial
    assert bench.start(2) == [("done", 0, "1.1"), ("version", "1.1")]


def test_a_watchdog_ends_with_one_restart_once_the_cloud_knows():
    bench = trial()
    bench.updater.confirm()
    bench.start(2)
    try:
        bench.updater.poll()
    except Reset:
        return
    raise AssertionError("no restart")


def test_a_trial_ends_with_its_time():
    bench = trial()
    bench.start()
    bench.clock.passed += 59000
    bench.updater.poll()
    bench.clock.passed += 1000
    try:
        bench.updater.poll()
    except Reset:
        told = ["1.1", -5, "not confirmed in time"]
        assert bench.kept == [dict(run="a", version="1.0", tell=told)]
        return
    raise AssertionError("no restart")


def test_a_download_closes_the_session_and_comes_back_to_it():
    def fetch(session, job, ms, sink):
        assert not session.connected
        assert (job, sink) == (JOB, None)

    bench = Bench(dict(run="a", version="1.0", job=JOB), {"fetch": fetch})
    bench.start()
    bench.peer.expect(packets.puback(3))
    bench.updater.poll()
    assert bench.reports() == [("downloading", 0, "1.1")]
    assert bench.session.retry_at is not None
    assert bench.kept == []


def failing(error):
    def fetch(*_):
        raise error

    bench = Bench(dict(run="a", version="1.0", job=JOB), {"fetch": fetch})
    bench.start()
    tries = 0
    while not bench.kept and tries < 20:
        tries += 1
        bench.clock.passed += 3600000
        bench.session.link = bench.session.link or fakes.Namespace(broken=False)
        fakes.replace(bench.session, "publish", lambda *_: None)
        fakes.replace(bench.session, "disconnect", lambda: None)
        bench.session.since = bench.updater._since
        bench.updater.poll()
    return tries, bench.kept[0]


def test_what_passes_is_given_up_after_six_tries_that_bring_nothing():
    tries, kept = failing(ProtocolError("protocol.reply", "no HTTP", True))
    assert tries == 7
    assert kept == dict(run="a", version="1.0", tell=["1.1", -1, "no HTTP"])


def test_what_does_not_pass_is_told_at_once():
    for code, told in (("missing", -2), ("denied", -3), ("url", -5)):
        tries, kept = failing(ProtocolError("ota." + code, "a sentence", False))
        assert tries == 1
        assert kept["tell"] == ["1.1", told, "a sentence"]


def test_a_lack_of_memory_is_tried_again():
    tries, kept = failing(MemoryError("memory allocation failed"))
    assert tries == 7
    assert "MemoryError" in kept["tell"][2]


def test_an_error_is_told_in_128_characters():
    _, kept = failing(ProtocolError("ota.missing", "x" * 5000, False))
    assert len(kept["tell"][2]) == 128


def test_days_without_a_connection_hold_up_nothing():
    bench = running()
    bench.clock.passed += 7 * 86400000
    bench.session.since = bench.clock.ticks_ms()
    bench.peer.expect(packets.puback(3))
    bench.updater.poll()
    assert bench.reports() == [("version", "1.0")]
