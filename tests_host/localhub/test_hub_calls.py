"""Calls to devices (RRPC): each answer to its own call, in time."""

import threading

import httpx
import pytest
from hubclient import PRODUCT_ID, logged_in

from dynreg_tools.hub import HubError
from tests_host.corpus import packets

RXD = f"$rrpc/rxd/{PRODUCT_ID}/lamp/"
TXD = f"$rrpc/txd/{PRODUCT_ID}/lamp/"


@pytest.fixture
def lamp(hub):
    """A device that listens for calls."""
    with logged_in(hub, "lamp") as raw:
        raw.send(packets.subscribe(1, RXD + "+"))
        assert raw.packet() == (0x90, b"\0\1\0")
        yield raw


def received(raw):
    """(process id, payload) of the next call."""
    head, body = raw.packet()
    assert head == 0x30
    size = body[0] << 8 | body[1]
    topic = body[2 : 2 + size].decode()
    assert topic.startswith(RXD)
    return topic.removeprefix(RXD), body[2 + size :]


def in_background(hub, *calls):
    """The results of calls that are made at once, each by a thread; join() before a look."""
    found = {}

    def call(text):
        found[text] = hub.services.call("lamp", text, 5)

    threads = [threading.Thread(target=call, args=(text,)) for text in calls]
    for thread in threads:
        thread.start()
    return threads, found


def test_answers_in_any_order_go_to_their_calls(hub, lamp):
    threads, found = in_background(hub, "a", "b", "c")
    calls = [received(lamp) for _ in threads]
    for process_id, payload in reversed(calls):
        lamp.send(packets.publish(TXD + process_id, b"answer to " + payload))
    for thread in threads:
        thread.join()
    assert found == {"a": b"answer to a", "b": b"answer to b", "c": b"answer to c"}


def test_the_first_answer_counts_and_one_for_no_call_goes_nowhere(hub, lamp):
    threads, found = in_background(hub, "x")
    process_id, _ = received(lamp)
    lamp.send(packets.publish(TXD + "999", b"for nobody"))
    lamp.send(packets.publish(TXD + process_id, b"first"))
    lamp.send(packets.publish(TXD + process_id, b"second"))
    threads[0].join()
    assert found == {"x": b"first"}
    lamp.send(packets.PINGREQ)
    assert lamp.packet() == (0xD0, b"")


def test_another_device_cannot_answer(hub, lamp):
    threads, found = in_background(hub, "x")
    process_id, _ = received(lamp)
    with logged_in(hub, "other") as other:
        other.send(packets.publish(f"$rrpc/txd/{PRODUCT_ID}/other/{process_id}", b"false"))
        other.send(packets.PINGREQ)
        assert other.packet() == (0xD0, b"")
        lamp.send(packets.publish(TXD + process_id, b"right"))
        threads[0].join()
    assert found == {"x": b"right"}


def test_no_answer_in_time(hub, lamp):
    assert hub.services.call("lamp", b"x", 0.1) is None
    process_id, _ = received(lamp)
    lamp.send(packets.publish(TXD + process_id, b"late"))
    lamp.send(packets.PINGREQ)
    assert lamp.packet() == (0xD0, b"")


def test_what_cannot_be_called(hub):
    hub.add_device("lamp")
    assert hub.services.call("lamp", b"x") is None
    with pytest.raises(HubError, match="no device 'other'"):
        hub.services.call("other", b"x")
    with pytest.raises(HubError, match="payload over 16384 bytes"):
        hub.services.call("lamp", bytes(16385))


def test_over_http(hub, lamp):
    with httpx.Client(base_url=hub.control, timeout=10) as api:
        result = {}

        def call():
            result["answer"] = api.post("/devices/lamp/calls", json={"payload_hex": "00ff"})

        thread = threading.Thread(target=call)
        thread.start()
        process_id, payload = received(lamp)
        assert payload == b"\0\xff"
        lamp.send(packets.publish(TXD + process_id, b'{"led":1}'))
        thread.join()
        found = result["answer"].json()
        assert found.pop("ms") >= 0
        assert found == {
            "process_id": process_id,
            "receivers": 1,
            "payload": {"text": '{"led":1}'},
        }
        body = {"payload": "x", "timeout": 1}
        assert api.post("/devices/lamp/calls", json=body).json()["payload"] is None
        assert api.post("/devices/other/calls", json=body).status_code == 404
        body["timeout"] = 11
        assert api.post("/devices/lamp/calls", json=body).json() == {
            "error": "timeout must be 1 to 10"
        }
