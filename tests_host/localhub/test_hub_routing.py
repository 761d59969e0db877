"""Whose messages go where: the broker's index of filters, and a session as it is, without I/O."""

import pytest
from hubclient import PRODUCT_ID, logged_in

from dynreg_tools.hub.mqtt import framing, packets
from dynreg_tools.hub.mqtt.framing import Malformed
from dynreg_tools.hub.mqtt.session import Ended, Session
from dynreg_tools.hub.mqtt.state import SessionState
from dynreg_tools.hub.store import Device
from tests_host.corpus import packets as client


def control(name):
    return f"{PRODUCT_ID}/{name}/control"


def subscribed(hub, name, topic_filter=None):
    raw = logged_in(hub, name)
    raw.send(client.subscribe(1, topic_filter or control(name)))
    assert raw.packet() == (0x90, b"\0\1\0")
    return raw


def test_a_message_is_offered_to_its_subscribers_only(hub, monkeypatch):
    offered = []
    deliver = SessionState.deliver

    def noted(self, *message):
        offered.append(self.client_id)
        return deliver(self, *message)

    monkeypatch.setattr(SessionState, "deliver", noted)
    with subscribed(hub, "a") as first, subscribed(hub, "b"), logged_in(hub, "c"):
        assert hub.publish(control("a"), "x") == 1
        assert first.packet() == (0x30, client.text(control("a")) + b"x")
        assert hub.publish(control("c"), "x") == 0
    assert offered == [PRODUCT_ID + "a"]


def test_both_of_a_devices_filters_bring_a_message_once(hub):
    topic = f"$rrpc/rxd/{PRODUCT_ID}/a/7"
    with subscribed(hub, "a", f"$rrpc/rxd/{PRODUCT_ID}/a/+") as device:
        device.send(client.subscribe(2, topic, qos=1))
        assert device.packet() == (0x90, b"\0\2\1")
        assert hub.publish(topic, "x", qos=1) == 1
        assert device.packet()[0] == 0x32
        device.send(client.packet(0xC0, b""))
        assert device.packet() == (0xD0, b"")


def test_what_is_unsubscribed_comes_no_more(hub):
    with subscribed(hub, "a") as device:
        device.send(client.packet(0xA2, b"\0\2" + client.text(control("a"))))
        assert device.packet() == (0xB0, b"\0\2")
        assert hub.publish(control("a"), "x") == 0


@pytest.mark.parametrize("kicked", [False, True])
def test_subscriptions_end_with_their_connection(hub, kicked):
    with subscribed(hub, "a") as old:
        psk = hub.devices()[0]["psk"]
        if kicked:
            assert hub.kick("a")
            assert old.ended() == b""
        with logged_in(hub, "a", psk):  # which ends the other one
            assert hub.publish(control("a"), "x") == 0
    with logged_in(hub, "a", psk):
        assert hub.publish(control("a"), "x") == 0


class Books:
    """A broker that notes what a session asks of it."""

    def __init__(self):
        self.asked = []

    def subscribe(self, *what):
        self.asked.append(("subscribe", *what))

    def unsubscribe(self, *what):
        self.asked.append(("unsubscribe", *what))

    def received(self, session, publish):
        self.asked.append(("received", session.client_id, publish.topic))


@pytest.fixture
def books():
    return Books()


@pytest.fixture
def session(books):
    device = Device(PRODUCT_ID, "a", None, None, "key", True, True, 0)
    state = SessionState(PRODUCT_ID + "a", lambda *_, **__: None)
    return Session(books, device, lambda event, **_: books.asked.append((event,)), state)


def test_a_session_gives_what_is_to_be_sent(session, books):
    topic, client = control("a"), PRODUCT_ID + "a"
    assert list(session.handle(packets.Subscribe(1, ((topic, 1),)))) == [framing.suback(1, 1)]
    assert list(session.handle(packets.Pingreq())) == [framing.pingresp()]
    assert list(session.handle(packets.Puback(1))) == []
    assert list(session.handle(packets.Unsubscribe(2, (topic,)))) == [framing.unsuback(2)]
    assert books.asked == [
        ("subscribe", client, topic),
        ("subscribe",),
        ("unsubscribe", client, topic),
        ("unsubscribe",),
    ]


def test_a_publish_is_routed_before_it_is_acknowledged(session, books):
    """So what a PUBACK was sent for is in the store, where it is to be kept for anyone."""
    event = f"{PRODUCT_ID}/a/event"
    frames = session.handle(packets.Publish(event, b"{}", 1, False, False, 9))
    assert next(frames) == framing.puback(9)
    assert books.asked == [("publish",), ("received", PRODUCT_ID + "a", event)]
    assert list(frames) == []


@pytest.mark.parametrize(
    "bad, kind",
    [
        (packets.Publish(f"{PRODUCT_ID}/b/event", b"", 0, False, False, 0), Malformed),
        (packets.Publish(f"{PRODUCT_ID}/a/event", b"", 2, False, False, 1), Malformed),
        (packets.Connect(4), Malformed),
        (packets.Disconnect(), Ended),
    ],
)
def test_what_ends_a_session(session, books, bad, kind):
    with pytest.raises(kind):
        list(session.handle(bad))
    assert books.asked == []
