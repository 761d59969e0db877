"""Persistent sessions over the wire (protocol section 4a), and over the end of the hub."""

import random
import stat
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest
from hubclient import PRODUCT_ID, Raw, credentials, new_secret, register

from dynreg_tools.hub import Hub
from tests_host.corpus import packets

TOPIC = f"{PRODUCT_ID}/a/control"
PRESENT = b"\x20\x02\1\0"
PING = packets.PINGREQ


@pytest.fixture
def hub(start_hub):
    return start_hub(stored_interval=0)


@pytest.fixture
def psk(hub):
    return register(hub, "a")


@pytest.fixture
def login():
    """Logs device a in: (connection, CONNACK's bytes)."""
    with ExitStack() as stack:

        def login(hub, psk, *, clean=False):
            raw = stack.enter_context(Raw(hub.mqtt))
            raw.send(packets.connect(*credentials(hub, "a", psk), flags=0xC2 if clean else 0xC0))
            try:
                return raw, raw.read(4)
            except EOFError:
                return raw, b""

        yield login


@pytest.fixture
def subscribed(login):
    def subscribed(hub, psk):
        raw, _ = login(hub, psk)
        raw.send(packets.subscribe(1, TOPIC, qos=1))
        assert raw.packet() == (0x90, b"\0\1\1")
        return raw

    return subscribed


def left(hub, raw):
    """Disconnect, and return when the hub knows."""
    conn = [event for event in hub.events if event["event"] == "login"][-1]["conn"]
    raw.send(packets.DISCONNECT)
    assert raw.ended() == b""
    raw.socket.close()
    hub.wait_for("disconnect", conn=conn)


def message(payload, packet_id, first=0x32):
    return (first, packets.text(TOPIC) + packets.number(packet_id) + payload)


def silent(raw):
    """Whether nothing but the answer to a ping comes."""
    raw.send(PING)
    return raw.packet() == (0xD0, b"")


def test_session_present(hub, psk, login):
    none = packets.CONNACK
    cases = [(False, none), (False, PRESENT), (False, PRESENT), (True, none), (False, none)]
    for number, (clean, connack) in enumerate([*cases, (True, none), (True, none)], 1):
        raw, answer = login(hub, psk, clean=clean)
        assert answer == connack, number
        event = hub.wait_for("login", count=number)
        assert event["clean_session"] == clean
        assert event["session_present"] == (connack == PRESENT)
        left(hub, raw)


def test_a_refused_login_has_no_session_and_ends_none(hub, psk, subscribed, login):
    left(hub, subscribed(hub, psk))
    assert login(hub, "AAAA")[1] == packets.connack(4)
    assert login(hub, psk)[1] == PRESENT


def test_offline_messages_come_with_the_next_login(hub, psk, subscribed, login):
    left(hub, subscribed(hub, psk))
    assert hub.publish(TOPIC, "one", qos=1) == 1
    assert hub.publish(TOPIC, "lost", qos=0) == 0
    assert hub.publish(TOPIC, "two", qos=1) == 1
    raw, _ = login(hub, psk)
    assert raw.packet() == message(b"one", 1)
    assert raw.packet() == message(b"two", 2)
    raw.send(packets.packet(0x40, b"\0\1"))
    assert silent(raw)
    left(hub, raw)
    raw, _ = login(hub, psk)
    assert raw.packet() == message(b"two", 2, 0x3A)
    raw.send(packets.packet(0x40, b"\0\2"))
    left(hub, raw)
    assert silent(login(hub, psk)[0])
    assert hub.wait_for("undelivered")["topic"] == TOPIC


def test_a_clean_login_forgets_all(hub, psk, subscribed, login):
    left(hub, subscribed(hub, psk))
    hub.publish(TOPIC, "one", qos=1)
    left(hub, login(hub, psk, clean=True)[0])
    assert hub.publish(TOPIC, "two", qos=1) == 0
    raw, _ = login(hub, psk)
    assert hub.publish(TOPIC, "three", qos=1) == 0
    assert silent(raw)


def test_a_second_login_takes_over_what_is_in_flight(hub, psk, subscribed, login):
    first = subscribed(hub, psk)
    hub.publish(TOPIC, "one", qos=1)
    assert first.packet() == message(b"one", 1)
    second, connack = login(hub, psk)
    assert connack == PRESENT
    assert first.ended() == b""
    assert second.packet() == message(b"one", 1, 0x3A)
    hub.publish(TOPIC, "two", qos=1)
    assert second.packet() == message(b"two", 2)


def test_another_hub_on_the_same_data_goes_on(tmp_path, login, subscribed):
    options = {"data": tmp_path, "product_id": PRODUCT_ID, "cert_key": "ec", "stored_interval": 0}
    with Hub(**options) as hub:
        psk = register(hub, "a")
        raw = subscribed(hub, psk)
        hub.publish(TOPIC, "sent", qos=1)
        assert raw.packet() == message(b"sent", 1)
        left(hub, raw)
        hub.publish(TOPIC, b"\0kept\xff", qos=1)
    with Hub(**options) as again:
        assert again.publish(TOPIC, "new", qos=1) == 1
        raw, connack = login(again, psk)
        assert connack == PRESENT
        assert raw.packet() == message(b"sent", 1, 0x3A)
        assert raw.packet() == message(b"\0kept\xff", 2)
        assert raw.packet() == message(b"new", 3)


def test_a_deleted_device_has_no_session_any_more(hub, psk, subscribed, login):
    left(hub, subscribed(hub, psk))
    hub.publish(TOPIC, "one", qos=1)
    hub.delete_device("a")
    assert hub.publish(TOPIC, "two", qos=1) == 0
    raw, connack = login(hub, register(hub, "a"))
    assert connack == packets.CONNACK
    hub.delete_device("a")
    assert raw.ended() == b""
    assert login(hub, register(hub, "a"))[1] == packets.CONNACK


def test_what_is_unsubscribed_stays_so(hub, psk, subscribed, login):
    raw = subscribed(hub, psk)
    raw.send(packets.unsubscribe(2, TOPIC))
    assert raw.packet() == (0xB0, b"\0\2")
    left(hub, raw)
    assert hub.publish(TOPIC, "one", qos=1) == 0
    assert login(hub, psk)[1] == PRESENT


def test_a_devices_own_message_is_kept_before_it_is_acknowledged(hub, psk, login):
    """What comes first is the message itself, which is in the store by then."""
    topic = f"{PRODUCT_ID}/a/data"
    raw, _ = login(hub, psk)
    raw.send(packets.subscribe(1, topic, qos=1))
    raw.packet()
    raw.send(packets.publish(topic, b"x", flags=2, pid=9))
    assert raw.packet() == (0x32, packets.text(topic) + b"\0\1x")
    assert raw.packet() == (0x40, b"\0\x09")


@pytest.mark.parametrize("kept, clean", [(False, False), (True, True)])
def test_a_login_whose_session_cannot_be_kept_changes_nothing(hub, psk, login, kept, clean):
    first = login(hub, psk, clean=not kept)[0]
    first.send(packets.subscribe(1, TOPIC, qos=1))
    assert first.packet() == (0x90, b"\0\1\1")
    store = hub._server.store._db.execute
    hub._call(store, "PRAGMA query_only = ON")
    assert login(hub, psk, clean=clean)[1] == b""
    assert "hub.db" in hub.wait_for("login_refused")["reason"]
    hub._call(store, "PRAGMA query_only = OFF")
    assert silent(first)  # which has not been kicked
    assert hub.publish(TOPIC, "one", qos=1) == 1
    assert first.packet() == message(b"one", 1)
    assert login(hub, psk)[1] == (PRESENT if kept else packets.CONNACK)


def test_nobody_else_may_read_what_is_kept(hub, psk, subscribed):
    left(hub, subscribed(hub, psk))
    hub.publish(TOPIC, "one", qos=1)
    files = [path for path in hub.ca_pem.parent.iterdir() if path.name.startswith("hub.db")]
    assert {path.name for path in files} == {"hub.db", "hub.db-wal"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


# A hub that sends each line of its input to the device, and says so once it was taken.
_PROGRAM = """
import sys
from dynreg_tools.hub import Hub
data, product_id, secret = sys.argv[1:]
with Hub(data, product_id=product_id, product_secret=secret, stored_interval=0,
         cert_key="ec", record=False) as hub:
    print(hub.mqtt, hub.http, flush=True)
    for line in sys.stdin:
        if hub.publish(f"{product_id}/a/control", line.strip(), qos=1):
            print(line, end="", flush=True)
"""


class Killed:
    """A hub process that ends by SIGKILL."""

    def __init__(self, data, secret):
        self.product_id, self.product_secret = PRODUCT_ID, secret
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(data), PRODUCT_ID, secret],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.mqtt, self.http = self._process.stdout.readline().split()

    def send(self, numbers):
        self._process.stdin.write("".join(f"{number}\n" for number in numbers))
        self._process.stdin.flush()

    def taken(self):
        """The next number that was taken."""
        return int(self._process.stdout.readline())

    def kill(self):
        """End it; what it has said until then as well."""
        self._process.kill()
        said, _ = self._process.communicate()
        return [int(line) for line in said.splitlines()]


def parsed(first, body):
    """(DUP, packet id, number) of a message."""
    rest = body[2 + int.from_bytes(body[:2], "big") :]
    return bool(first & 8), int.from_bytes(rest[:2], "big"), int(rest[2:])


def received(raw):
    """All messages until there are no more."""
    raw.send(PING)
    found = []
    while (one := raw.packet()) != (0xD0, b""):
        found.append(parsed(*one))
    return found


def to_the_end(raw):
    """The messages that are still to be read from a connection that is cut anywhere."""
    found = []
    with suppress(EOFError, OSError):
        while True:
            found.append(raw.packet())
    return found


@pytest.mark.ci
@pytest.mark.process
@pytest.mark.parametrize(
    "seed, rounds", [(1, 6), *(pytest.param(n, 60, marks=pytest.mark.slow) for n in range(2, 8))]
)
def test_what_was_taken_survives_kill_9(tmp_path, seed, rounds, login):
    """Killed at any moment, online and offline: all that was taken comes, in order.

    What comes twice has DUP and its packet id; what a living hub has seen acknowledged does not.
    """
    chance, secret, psk = random.Random(seed), new_secret(), None
    begun, missing = 0, []  # how many were sent; which of them were taken and are to come
    seen, acknowledged = {}, set()  # number -> packet id; numbers
    for number_ in range(rounds):
        hub = Killed(tmp_path / "hub", secret)
        psk = psk or register(hub, "a")
        raw, connack = login(hub, psk)
        if number_ == 0:
            raw.send(packets.subscribe(1, TOPIC, qos=1))
            assert raw.packet() == (0x90, b"\0\1\1")
        else:
            assert connack == PRESENT
        came = received(raw)
        numbers = [number for _, _, number in came]
        assert numbers == sorted(set(numbers))
        assert set(missing) <= set(numbers)
        assert not acknowledged & set(numbers)
        for dup, packet_id, number in came:
            if number in seen:
                assert (dup, packet_id) == (True, seen[number])
            seen[number] = packet_id
        keep = chance.randrange(min(len(came), 60) + 1)
        for _, packet_id, number in came[keep:]:
            raw.send(packets.packet(0x40, packets.number(packet_id)))
            acknowledged.add(number)
        assert silent(raw)  # so the acknowledgements have arrived
        if chance.random() < 0.5:  # else the device is online when the hub is killed
            raw.send(packets.DISCONNECT)
            assert raw.ended() == b""
        hub.send(range(begun, begun + 40))
        begun += 40
        taken = [hub.taken() for _ in range(chance.randrange(30))]
        missing = numbers[:keep] + taken + hub.kill()
        for packet in to_the_end(raw):
            _, packet_id, number = parsed(*packet)
            seen[number] = packet_id
        raw.socket.close()


@pytest.mark.process
@pytest.mark.parametrize("until", [1, 30])
def test_what_a_puback_was_sent_for_survives_kill_9(tmp_path, until, login):
    """A device's own message, which comes back to it; killed after so many PUBACKs, in a burst."""
    secret, topic, puback = new_secret(), f"{PRODUCT_ID}/a/data", 0x40
    hub = Killed(tmp_path / "hub", secret)
    psk = register(hub, "a")
    raw, _ = login(hub, psk)
    raw.send(packets.subscribe(1, topic, qos=1))
    assert raw.packet() == (0x90, b"\0\1\1")
    burst = [packets.publish(topic, b"%d" % n, flags=2, pid=n) for n in range(1, 61)]
    raw.send(b"".join(burst))
    answers = []
    while [first for first, _ in answers].count(puback) < until:
        answers.append(raw.packet())
    hub.kill()
    answers += to_the_end(raw)
    taken = [int.from_bytes(body, "big") for first, body in answers if first == puback]
    sent = {parsed(first, body)[1:] for first, body in answers if first != puback}
    again = Killed(tmp_path / "hub", secret)
    came = received(login(again, psk)[0])
    again.kill()
    numbers = [number for _, _, number in came]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(taken) >= until
    assert set(taken) <= set(numbers)
    assert {(packet_id, number) for dup, packet_id, number in came if dup} >= sent
