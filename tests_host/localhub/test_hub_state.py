"""The state of a session by itself, on a real store: what is kept, how long, in what order.

`later` collects what is to be called in a while, so no test waits.
"""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from hubclient import PRODUCT_ID

from dynreg_tools.hub.database import StoreError
from dynreg_tools.hub.mqtt import framing, state
from dynreg_tools.hub.mqtt.state import SessionState
from dynreg_tools.hub.products import Product
from dynreg_tools.hub.store import Store

CLIENT, TOPIC = PRODUCT_ID + "a", f"{PRODUCT_ID}/a/control"
DAY = 24 * 3600


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A store with a device that has a session, a clock and what is to be called later."""
    store = Store(tmp_path / "hub.db")
    store.save_product(Product(PRODUCT_ID, "s" * 16, True, 2, 10))
    store.add_device(PRODUCT_ID, "a")
    store.sessions.open(CLIENT, PRODUCT_ID, "a")
    store.sessions.subscribe(CLIENT, TOPIC, 1)
    world = SimpleNamespace(store=store, table=store.sessions, now=1e9, later=[], dropped=[])
    store.sessions.now = lambda: world.now
    monkeypatch.setattr(
        state, "later", lambda wait, call, *args: world.later.append((wait, call, args))
    )
    yield world
    store.close()


def begin(world, **changes):
    """The session's state as a hub that has just started has it."""
    given = {"table": world.table, "granted": world.table.all().get(CLIENT), **changes}

    def report(event, *, topic, reason=None, **_):
        if event == "undelivered":
            world.dropped.append((topic, reason))
        else:
            assert event in ("delivered", "kept")

    return SessionState(CLIENT, report, **given)


def message(number, packet_id, dup=False):
    return framing.publish(TOPIC, b"%d" % number, 1, packet_id, dup)


def deliver(one, *numbers):
    return [one.deliver(TOPIC, b"%d" % number, 1) for number in numbers]


def go_on(world):
    wait, call, args = world.later.pop()
    call(*args)
    return wait


def test_what_comes_offline_is_sent_in_order(world):
    one, sent = begin(world), []
    assert deliver(one, 1, 2, 3) == [True, True, True]
    one.attach(sent.append, 0)
    assert sent == [message(1, 1), message(2, 2), message(3, 3)]


def test_what_was_not_acknowledged_is_sent_again_with_dup_and_its_packet_id(world):
    one, sent = begin(world), []
    one.attach(sent.append, 0)
    deliver(one, 1, 2, 3)
    one.acknowledged(2)
    one.detach()
    deliver(one, 4)
    one.attach(sent.append, 0)
    assert sent[3:] == [message(1, 1, True), message(3, 3, True), message(4, 4)]


def test_nothing_is_sent_again_within_a_connection(world):
    """MQTT 3.1.1, 4.4: only after a reconnect."""
    one, sent = begin(world), []
    one.attach(sent.append, 0.5)
    deliver(one, 1)
    assert sent == [message(1, 1)]
    assert world.later == []


def test_another_process_goes_on_where_the_first_was(world):
    first, sent = begin(world), []
    first.attach(sent.append, 0)
    deliver(first, 1, 2)
    first.acknowledged(1)
    first.detach()
    deliver(first, 3)
    second = begin(world)
    assert second.granted == {TOPIC: 1}
    second.attach(sent.append, 0)
    assert sent[2:] == [message(2, 2, True), message(3, 3)]
    deliver(second, 4)
    assert sent[4:] == [message(4, 1)]  # 2 and 3 are in flight
    second.detach()
    second.attach(sent.append, 0)
    assert sent[5:] == [message(2, 2, True), message(3, 3, True), message(4, 1, True)]


def test_stored_messages_come_one_by_one(world):
    one, sent = begin(world), []
    deliver(one, 1, 2, 3)
    one.attach(sent.append, 0.5)
    assert sent == [message(1, 1)]
    assert go_on(world) == 0.5
    assert sent == [message(1, 1), message(2, 2)]
    assert go_on(world) == 0.5
    assert sent == [message(1, 1), message(2, 2), message(3, 3)]
    assert world.later == []


def test_what_comes_meanwhile_follows_at_once_behind_the_last_one(world):
    one, sent = begin(world), []
    deliver(one, 1, 2)
    one.attach(sent.append, 0.5)
    deliver(one, 3, 4)
    one.deliver(TOPIC, b"0", 0)  # QoS 0 has no order to keep
    assert sent == [message(1, 1), framing.publish(TOPIC, b"0")]
    go_on(world)
    assert sent[2:] == [message(2, 2), message(3, 3), message(4, 4)]
    assert world.later == []


def test_a_reconnect_in_between_begins_anew(world):
    one, old, new = begin(world), [], []
    deliver(one, 1, 2)
    one.attach(old.append, 0.5)
    one.detach()
    one.attach(new.append, 0.5)
    go_on(world)
    assert new == [message(1, 1, True), message(2, 2)]
    go_on(world)  # of the first connection
    assert (old, new[2:]) == ([message(1, 1)], [])


def test_an_acknowledgement_of_before_the_reconnect_counts(world):
    one, sent = begin(world), []
    one.attach(sent.append, 0)
    deliver(one, 1, 2, 3)
    one.detach()
    one.attach(sent.append, 0.5)
    one.acknowledged(2)
    go_on(world)
    assert sent[3:] == [message(1, 1, True), message(3, 3, True)]
    assert world.later == []


def test_what_was_not_sent_cannot_be_acknowledged(world):
    one, sent = begin(world), []
    deliver(one, 1)
    one.acknowledged(1)
    one.acknowledged(77)
    one.attach(sent.append, 0)
    assert sent == [message(1, 1)]


def test_an_acknowledged_message_is_gone_from_the_store(world):
    one = begin(world)
    one.attach(lambda _: None, 0)
    deliver(one, 1)
    one.acknowledged(1)
    one.acknowledged(1)
    assert world.table.waiting(CLIENT) == []


@pytest.mark.parametrize("online", [False, True])
def test_the_151st_is_dropped(world, online):
    one, sent = begin(world), []
    if online:
        one.attach(sent.append, 0)
    assert deliver(one, *range(151)) == [True] * 150 + [False]
    assert world.dropped == [(TOPIC, "150 messages wait already")]
    assert len(world.table.waiting(CLIENT)) == 150
    if online:
        one.acknowledged(150)
        assert deliver(one, 151) == [True]
        assert len(sent) == 151


def test_after_a_day_a_message_is_dropped(world):
    one, sent = begin(world), []
    deliver(one, 1)
    world.now += 10
    deliver(one, 2)
    world.now += DAY - 5
    one.attach(sent.append, 0)
    assert sent == [message(2, 2)]
    assert world.dropped == [(TOPIC, "24 hours old")]


def test_old_messages_make_room_for_new_ones(world):
    one = begin(world)
    deliver(one, *range(150))
    world.now += DAY + 1
    assert deliver(one, 150) == [True]
    assert len(world.dropped) == 150
    assert world.table.waiting(CLIENT) == [151]


def test_a_room_made_while_stored_messages_are_sent_keeps_the_order(world):
    one, sent = begin(world), []
    deliver(one, 0)
    world.now += DAY - 1
    deliver(one, *range(1, 150))
    one.attach(lambda _: None, 0.5)
    one.detach()
    one.attach(sent.append, 0.5)
    world.now += 2
    deliver(one, 150)
    assert world.dropped == [(TOPIC, "24 hours old")]
    while world.later:
        go_on(world)
    assert sent[1:] == [message(n, n + 1) for n in range(1, 150)] + [message(150, 151)]


def test_qos_0_is_not_kept(world):
    one = begin(world)
    assert not one.deliver(TOPIC, b"x", 0)
    assert world.dropped == [(TOPIC, "QoS 0, and the device is offline")]
    assert world.table.waiting(CLIENT) == []


def test_a_subscription_with_qos_0_keeps_nothing(world):
    one = begin(world)
    one.grant(TOPIC, 0)
    assert deliver(one, 1) == [False]
    assert begin(world).granted == {TOPIC: 0}


def test_what_is_unsubscribed_is_not_kept(world):
    one = begin(world)
    assert one.revoke(TOPIC)
    assert not one.revoke(TOPIC)
    assert deliver(one, 1) == [False]
    assert world.dropped == []
    assert world.table.all() == {CLIENT: {}}


def test_a_deleted_device_has_no_session(world):
    deliver(begin(world), 1)
    world.store.delete_device(PRODUCT_ID, "a")
    assert world.table.all() == {}
    assert world.table.waiting(CLIENT) == []


def test_a_clean_session_uses_no_packet_id_twice(world):
    one, sent = begin(world, table=None, granted={TOPIC: 1}), []
    one.attach(sent.append, 0)
    deliver(one, *range(3))
    one.acknowledged(2)
    one._last_id = 65535  # as after so many more
    deliver(one, 3, 4)
    assert sent[3:] == [message(3, 2), message(4, 4)]
    assert world.table.waiting(CLIENT) == []


def test_a_clean_session_that_acknowledges_nothing_is_full_one_day(world):
    one, sent = begin(world, table=None, granted={TOPIC: 1}), []
    one.attach(sent.append, 0)
    assert all(deliver(one, *range(65535)))
    assert deliver(one, 1) == [False]
    assert len(set(sent)) == 65535


@contextmanager
def read_only(world):
    """While the store cannot be written, as on a full disk."""
    world.store._db.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        world.store._db.execute("PRAGMA query_only = OFF")


def test_what_cannot_be_kept_changes_nothing(world):
    one, sent = begin(world), []
    one.attach(sent.append, 0)
    deliver(one, 1)
    with read_only(world):
        with pytest.raises(StoreError):
            one.deliver(TOPIC, b"2", 1)
        with pytest.raises(StoreError):
            one.acknowledged(1)
        with pytest.raises(StoreError):
            one.grant("other", 1)
        with pytest.raises(StoreError):
            one.revoke(TOPIC)
    assert one.granted == {TOPIC: 1}
    assert one._ids == {1}
    assert sent == [message(1, 1)]


def test_what_cannot_be_noted_as_sent_is_sent_later_and_in_order(world):
    one, sent = begin(world), []
    deliver(one, 1, 2)
    one.attach(sent.append, 0.5)
    with read_only(world):
        assert go_on(world) == 0.5
        assert sent == [message(1, 1)]
    deliver(one, 3)
    go_on(world)
    assert sent == [message(1, 1), message(2, 2), message(3, 3)]
    assert world.later == []
