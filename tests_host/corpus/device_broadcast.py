"""Messages to all devices."""

import packets
from broker import connected
from dynreg.services import broadcast

TOPIC = "$broadcast/rxd/ABCDEFGHIJ/dev-01"


def test_each_message_comes_to_the_handler_as_it_is():
    got = []
    bench = connected()
    bench.peer.expect(packets.suback(1))
    broadcast.listen(bench.session, got.append)
    assert bench.peer.segments == [packets.subscribe(1, TOPIC)]
    for message in (b"hello", b"", b"\xff\x00{", b"x" * 5000):
        bench.peer.say(packets.publish(TOPIC, message))
    bench.session.poll(0)
    assert got == [b"hello", b"", b"\xff\x00{", b"x" * 5000]
    assert len(bench.peer.segments) == 1
