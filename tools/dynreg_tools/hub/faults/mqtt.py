"""Faults of the broker: refused logins, and packets that come late, twice, wrong or not at all.

An `act` with the hook "packet" gets (the frame that would go out, the argument) and gives
(seconds to wait, frame) pairs, with CLOSE for the end of the connection. `on` says which packets
it is about.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..mqtt import framing
from ..mqtt.framing import CONNACK, PINGRESP, PUBACK, SUBACK
from .kinds import Argument, Kind, natural, seconds

CLOSE = None
TimedBytes = list[tuple[float, bytes | None]]
_NEXT = (SUBACK, PUBACK, PINGRESP)  # what a message that nobody asked for comes behind
_TOPIC = "fault/topic"
_LARGEST = 20_000
_NEVER = 1e6  # seconds, longer than any connection lasts


def _code(text: str) -> int:
    value = natural(text)
    if not 1 <= value <= 255:
        raise ValueError
    return value


def _instead(frame: bytes) -> Callable[[bytes, object], TimedBytes]:
    return lambda _frame, _argument: [(0, frame)]


def _behind(make: Callable[[Any], bytes | None]) -> Callable[[bytes, object], TimedBytes]:
    """What `make` gives of the argument, right behind the packet."""
    return lambda frame, argument: [(0, frame), (0, make(argument))]


def _late(frame: bytes, wait: float) -> TimedBytes:
    return [(wait, frame)]


def _twice(frame: bytes, _: object) -> TimedBytes:
    return [(0, frame), (0, frame)]


def _other_id(frame: bytes, _: object) -> TimedBytes:
    """The packet id plus 100: of no packet that was sent."""
    number = (int.from_bytes(frame[2:4], "big") + 100) & 0xFFFF
    return [(0, frame[:2] + number.to_bytes(2, "big") + frame[4:])]


def _gone(_frame: bytes, _argument: object) -> TimedBytes:
    return []


def _cut(frame: bytes, _: object) -> TimedBytes:
    return [(0, frame[:-1]), (0, CLOSE)]


def _flood(frame: bytes, count: int) -> TimedBytes:
    return [(0, frame), (0, framing.publish(_TOPIC, b"flood") * count)]


_wait = partial(Argument, "seconds", read=seconds)
_connack = partial(Kind, hook="packet", on=CONNACK)
_suback = partial(Kind, hook="packet", on=SUBACK)
_puback = partial(Kind, hook="packet", on=PUBACK)
_message = partial(Kind, hook="packet", on=_NEXT)

KINDS = (
    Kind(
        "mqtt-connack",
        "the login is refused with this code",
        "login",
        argument=Argument("CONNACK return code, 1 to 255", 5, _code),
    ),
    Kind(
        "mqtt-login-slow",
        "the login takes a while, and what came behind the CONNECT waits for it",
        "slow",
        argument=_wait(default=1.0),
    ),
    _connack(
        "mqtt-connack-missing",
        "no CONNACK, nor anything behind it",
        act=lambda frame, _: [(_NEVER, frame)],
    ),
    _connack("mqtt-connack-late", "CONNACK comes late", act=_late, argument=_wait(default=60.0)),
    _connack("mqtt-connack-cut", "CONNACK without its last byte, then the end", act=_cut),
    _connack("mqtt-connack-long", "CONNACK of three bytes", act=_instead(b"\x20\x03\0\0\0")),
    _connack("mqtt-connack-other", "PINGRESP for CONNACK", act=_instead(framing.pingresp())),
    _connack(
        "mqtt-connack-session",
        "CONNACK that says a session was kept",
        act=_instead(b"\x20\x02\1\0"),
    ),
    _connack("mqtt-close-login", "logged in, and closed at once", act=_behind(lambda _: CLOSE)),
    _suback(
        "mqtt-suback",
        "SUBACK with this code",
        act=lambda frame, code: [(0, frame[:-1] + bytes((code,)))],
        argument=Argument("SUBACK return code, 1 to 255", 0x80, _code),
    ),
    _suback("mqtt-suback-missing", "no SUBACK", act=_gone),
    _suback("mqtt-suback-late", "SUBACK comes late", act=_late, argument=_wait(default=60.0)),
    _suback("mqtt-suback-twice", "SUBACK comes twice", act=_twice),
    _suback("mqtt-suback-other-id", "SUBACK for another packet id", act=_other_id),
    _suback(
        "mqtt-suback-short",
        "SUBACK without its return code",
        act=lambda frame, _: [(0, b"\x90\2" + frame[2:4])],
    ),
    _suback("mqtt-close-subscribe", "closed in the place of SUBACK", act=lambda *_: [(0, CLOSE)]),
    _puback("mqtt-puback-missing", "no PUBACK", act=_gone),
    _puback("mqtt-puback-late", "PUBACK comes late", act=_late, argument=_wait(default=60.0)),
    _puback("mqtt-puback-twice", "PUBACK comes twice", act=_twice),
    _puback("mqtt-puback-other-id", "PUBACK for another packet id", act=_other_id),
    _puback("mqtt-close-publish", "closed in the place of PUBACK", act=lambda *_: [(0, CLOSE)]),
    Kind("mqtt-pingresp-missing", "no PINGRESP", "packet", _gone, on=PINGRESP),
    Kind(
        "mqtt-silent",
        "a half-open connection: nothing more comes, nothing is closed",
        "packet",
        _gone,
        on=(*_NEXT, framing.PUBLISH),
    ),
    Kind(
        "mqtt-split",
        "every packet byte by byte",
        "packet",
        lambda frame, _: [(0, frame[at : at + 1]) for at in range(len(frame))],
    ),
    _message(
        "mqtt-second-login",
        "another one logs in with the client id: closed",
        act=_behind(lambda _: CLOSE),
    ),
    _message("mqtt-garbage", "a packet of type 15", act=_behind(lambda _: b"\xf0\0")),
    _message("mqtt-type-0", "a packet of type 0", act=_behind(lambda _: b"\0\0")),
    _message(
        "mqtt-length",
        "a remaining length of five bytes",
        act=_behind(lambda _: b"\x30\xff\xff\xff\xff\1"),
    ),
    _message(
        "mqtt-topic-long",
        "a topic longer than its packet",
        act=_behind(lambda _: b"\x30\4\0\x63ab"),
    ),
    _message(
        "mqtt-topic-bytes",
        "a topic that is no UTF-8",
        act=_behind(lambda _: b"\x30\5\0\2\xff\xfex"),
    ),
    _message("mqtt-no-topic", "PUBLISH with nothing in it", act=_behind(lambda _: b"\x30\0")),
    _message("mqtt-qos-3", "a message with QoS 3", act=_behind(lambda _: b"\x36\6\0\1a\0\1x")),
    _message(
        "mqtt-huge",
        "a message of this size",
        act=_behind(lambda size: framing.publish(_TOPIC, bytes(size))),
        argument=Argument("bytes", _LARGEST, natural),
    ),
    _message(
        "mqtt-stranger",
        "a message on a topic nobody asked for",
        act=_behind(lambda _: framing.publish(_TOPIC, b"x")),
    ),
    _message(
        "mqtt-strange-ack",
        "PUBACK for what nobody sent",
        act=_behind(lambda _: framing.puback(999)),
    ),
    _message(
        "mqtt-flood",
        "so many messages at once",
        act=_flood,
        argument=Argument("how many", 500, natural),
    ),
)
