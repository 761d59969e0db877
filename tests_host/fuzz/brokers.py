"""What a broker answers: MQTT packets, good and bad, and the time in them."""

import io
import json

import canaries
import fakes
import jsontext
import packets
from dynreg import port
from dynreg.connect import connection
from dynreg.device import DeviceInfo
from dynreg.mqtt.session import Session
from judge import Peer, capture_log, expect, finish, tried
from mutations import mutated

_OWN = "ABCDEFGHIJ/dev-01/"
_ASK = "$sys/operation/ABCDEFGHIJ/dev-01"
_RESULT = "$sys/operation/result/ABCDEFGHIJ/dev-01"
_NOW = fakes.NOW * 1000
_TIME = (
    (b"type", b'"get"'),
    (b"time", str(fakes.NOW).encode()),
    (b"ntptime1", str(_NOW).encode()),
    (b"ntptime2", str(_NOW).encode()),
)
_MESSAGES = (
    packets.publish(_OWN + "control", b"do"),
    packets.publish(_OWN + "control", b"do", 9),
    packets.publish(_OWN + "control", b""),
    packets.publish(_OWN + "other", b"x", 1),
    packets.publish("", b"x"),
    packets.publish(_RESULT, b'{"type":"ssh"}'),
    packets.publish(_RESULT, b"\xff"),
    packets.packet(0x34, packets.text(_OWN + "control") + packets.number(7) + b"QoS 2"),
    packets.packet(0x36, packets.text(_OWN + "control") + packets.number(7) + b"QoS 3"),
    packets.publish(_OWN + "control", b"x" * 16384),
    packets.publish(_OWN + "control", b"x" * 17000, 5),
    packets.packet(0x30, b"\xff\xff" + b"x" * 17000),
    packets.packet(0x32, b"\xff\xff" + b"x" * 17000),
    packets.packet(0xF0, b"x" * 17000),
    packets.CONNACK,
    packets.connack(3),
    packets.connack(200),
    packets.suback(1),
    packets.suback(2, 0x80),
    packets.suback(3, 2),
    packets.puback(3),
    packets.unsuback(4),
    packets.packet(0x90, b""),
    packets.packet(0x40, b"\0"),
    packets.PINGRESP,
    packets.PINGREQ,
    packets.packet(0xD0, b"x"),
    b"\x30\xff\xff\xff\xff\x01",
    b"\x30\x80\x80\x80\x80\x80\x80",
    b"\x30\xff\xff\xff\x7f",
    b"\0\0",
)
_MUTATIONS = (
    "good",
    "good",
    "good",
    "good",
    "cut",
    "also",
    "also",
    "before",
    "instead",
    "none",
    "end",
)
# By the steps below: 10 s for each of connect, SUBACK, time, PUBACK, and all that again for each
# of the two connections that poll() and a publish with QoS 1 make.
_MOST_MS = 400000


class Broker(Peer):
    """Answers as a broker should, but for its plan: a mutation for each segment that it gets."""

    def __init__(self, plan, time=None):
        super().__init__()
        self._plan = list(plan)
        self._time = time or jsontext.obj([(b'"' + key + b'"', item) for key, item in _TIME])

    def got(self, segment):
        self.segments.append(segment)
        mutation, data, number = self._plan.pop(0) if self._plan else ("good", b"", 0)
        good = self._answer(segment)
        if mutation == "cut":
            good = good[:number]
        elif mutation == "also":
            good += data
        elif mutation == "before":
            good = data + good
        elif mutation == "instead":
            good = data
        elif mutation == "none":
            return
        if good:
            self.say(good, number % 50)
        if mutation in ("cut", "end"):
            self.say(fakes.END, number % 50)

    def _answer(self, segment):
        try:
            found = packets.split(segment)
        except (ValueError, IndexError):
            return b""  # an answer that changed ids have made strange
        return b"".join(self._to(packet) for packet in found)

    def _to(self, packet):
        kind = packet[0] & 0xF0
        if kind == 0x10:
            return packets.CONNACK
        if kind == 0x80:
            return packets.suback(packet[2] << 8 | packet[3], packet[-1])
        if kind == 0xA0:
            return packets.unsuback(packet[2] << 8 | packet[3])
        if kind == 0xC0:
            return packets.PINGRESP
        if kind == 0x30 and packet[0] & 6:
            _, body = packets.read(io.BytesIO(packet).read)
            place = 2 + (body[0] << 8 | body[1])
            return packets.puback(body[place] << 8 | body[place + 1])
        if kind == 0x30 and _ASK.encode() in packet:
            return packets.publish(_RESULT, self._time)
        return b""


# --- whole sessions -----------------------------------------------------------------------------


def a_broker(source):
    """A plan for each of three connections: (mutation, bytes, a number)."""
    return [[_mutation(source) for _ in range(source.below(10))] for _ in range(3)]


def _mutation(source):
    data = source.one_of(_MESSAGES)
    if source.chance(2):
        data = mutated(source, data, _MESSAGES)
    return source.one_of(_MUTATIONS), data, source.below(256)


def _login(early=False):
    return connection.login(_infos[0], 60, dict(_NOTES), early)


def new_session():
    return Session(_infos[0], 60, dict(_NOTES), _login)


def run_session(plans):
    """connect(), and all that a session can do, with brokers that keep these plans."""
    capture_log()
    ticking = fakes.Clock()
    net = fakes.network(ticking, *[Broker(plan) for plan in plans])
    session = new_session()
    got = []

    def callback(topic, message):
        got.append((topic, message))

    _, error = tried(session.connect)
    if error:
        expect(not session.connected, "connected, though connect() failed")
    else:
        for step in (
            lambda: session.subscribe("control", callback, 1),
            session.sync_clock,
            lambda: session.publish("event", b"x", 1, 20000),
            lambda: session.publish("event", "y" * 2000),
            lambda: session.poll(2000),
            lambda: session.unsubscribe("control"),
            lambda: session.poll(40000),
        ):
            tried(step)
            if session.link is None and session.retry_at is None:
                break  # for good: only connect() helps now
    session.disconnect()
    for topic, message in got:
        expect(isinstance(topic, str) and isinstance(message, bytes), "no topic or no message")
    finish(net, ticking, _MOST_MS)


# --- the time -----------------------------------------------------------------------------------


def a_time(source):
    """(whether it is asked for behind the CONNECT, the message on the time's topic)"""
    if source.chance(3):
        data = mutated(source, jsontext.changed(source, _TIME))
    else:
        data = jsontext.changed(source, _TIME)
    return source.chance(2), data[:16000]


def read_time(case):
    """sync_clock() with this reply; the clock is set to what can be, or not at all."""
    early, message = case
    capture_log()
    ticking = fakes.Clock()
    net = fakes.network(ticking, Broker((), message))
    session = new_session()
    session.attach(*_login(early))
    now, error = tried(session.sync_clock)
    session.disconnect()
    expect(len(ticking.settings) == (0 if error else 1), "the clock is not set just once")
    expect(error or port.plausible(now // 1000), "a time that cannot be")
    finish(net, ticking, 30000)


_infos = []
_NOTES = {"day": 0, "psk": 0, "early": 0, "changed": False, "refusals": 0}


def setup(folder):
    """What stays for all cases: a DeviceInfo, whose file lies in folder."""
    values = fakes.values(endpoint={"mqtt": "mqtt://hub.local"})
    info = DeviceInfo(fakes.write(folder + "/device_info.json", json.dumps(values)))
    info.credential = canaries.DEVICE_SECRET
    _infos.append(info)
