"""Faults of the time: the answer to a device's question over MQTT (protocol section 6), and NTP.

An `act` with the hook "time" gets (the good answer, the argument) and gives (seconds to wait,
payload) pairs; one with the hook "ntp" gets (the good packet, the argument) and gives packets.
"""

import json
import secrets
import struct
from collections.abc import Callable
from functools import partial

from .kinds import Argument, Kind, seconds

TimedBytes = list[tuple[float, bytes]]
_YEAR = 31_557_600  # seconds
_TIMES = (24, 32, 40)  # where a packet's reference, receive and transmit times stand


def dump(answer: object) -> bytes:
    """An answer as it goes out."""
    return json.dumps(answer, separators=(",", ":")).encode()


def _years(text: str) -> float:
    value = float(text)
    if not -200 <= value <= 200:
        raise ValueError
    return value


def _changed(change: Callable[[dict], object]) -> Callable[[dict, object], TimedBytes]:
    return lambda answer, _: [(0, dump(change(answer)))]


def _without(answer: dict, *names: str) -> dict:
    return {key: value for key, value in answer.items() if key not in names}


def _off(answer: dict, years: float) -> TimedBytes:
    shift = int(years * _YEAR)
    moved = {key: answer[key] + shift * 1000 for key in ("ntptime1", "ntptime2")}
    return [(0, dump({**answer, "time": answer["time"] + shift, **moved}))]


def _all(value: object) -> Callable[[dict, object], TimedBytes]:
    return _changed(lambda answer: {**answer, "time": value, "ntptime1": value, "ntptime2": value})


def _ntp_off(packet: bytes, years: float) -> list[bytes]:
    moved = bytearray(packet)
    for at in _TIMES:
        (stamp,) = struct.unpack_from(">I", moved, at)
        struct.pack_into(">I", moved, at, (stamp + int(years * _YEAR)) % 2**32)
    return [bytes(moved)]


def _kiss(packet: bytes, _: object) -> list[bytes]:
    return [packet[:1] + b"\0" + packet[2:12] + b"RATE" + bytes(8) + packet[24:32] + bytes(16)]


_wait = Argument("seconds", 60.0, seconds)
_far = partial(Argument, "years, below 0 for the past; at most 200", read=_years)
_time = partial(Kind, hook="time")
_ntp = partial(Kind, hook="ntp")

KINDS = (
    _time("time-missing", "no answer", act=lambda *_: []),
    _time(
        "time-late",
        "the answer comes late",
        act=lambda a, wait: [(wait, dump(a))],
        argument=_wait,
    ),
    _time("time-twice", "the answer comes twice", act=lambda a, _: [(0, dump(a))] * 2),
    _time("time-text", "an answer that is no JSON", act=lambda *_: [(0, b"half past two")]),
    _time("time-bytes", "an answer that is no UTF-8", act=lambda *_: [(0, b"\xff\xfe{")]),
    _time("time-list", "a JSON list", act=_changed(lambda _: [1, 2])),
    _time("time-number", "a bare number", act=_changed(lambda a: a["time"])),
    _time("time-empty", "an empty payload", act=lambda *_: [(0, b"")]),
    _time(
        "time-other-type",
        "another service's answer",
        act=_changed(lambda _: {"type": "ssh", "time": 1}),
    ),
    _time(
        "time-other-first",
        "another service's answer, then the right one",
        act=lambda a, _: [(0, dump({"type": "ssh"})), (0, dump(a))],
    ),
    _time(
        "time-no-ntptime",
        "seconds only",
        act=_changed(lambda a: _without(a, "ntptime1", "ntptime2")),
    ),
    _time("time-half-ntptime", "ntptime1 only", act=_changed(lambda a: _without(a, "ntptime2"))),
    _time(
        "time-no-time", "no time in it", act=_changed(lambda a: {"type": a["type"], "result": 0})
    ),
    _time("time-words", "words for numbers", act=_all("now")),
    _time("time-null", "null for numbers", act=_all(None)),
    _time("time-zero", "zero", act=_all(0)),
    _time("time-huge", "a number of 40 digits", act=_all(10**39)),
    _time("time-off", "years off", act=_off, argument=_far(default=-30.0)),
    _ntp("ntp-silent", "no answer", act=lambda *_: []),
    _ntp("ntp-kiss", "a kiss of death: RATE", act=_kiss),
    _ntp("ntp-short", "a packet of 20 bytes", act=lambda packet, _: [packet[:20]]),
    _ntp(
        "ntp-garbage",
        "48 random bytes, all times of the year 1900",
        act=lambda *_: [secrets.token_bytes(24) + bytes(24)],
    ),
    _ntp("ntp-off", "years off", act=_ntp_off, argument=_far(default=-20.0)),
)
