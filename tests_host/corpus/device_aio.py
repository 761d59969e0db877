"""services/aio.py: an asyncio program's calls, while its other tasks go on; cancelled ones."""

import asyncio
import sys

import fakes
import packets
from dynreg import port
from dynreg.connect import link
from dynreg.errors import ConfigError, NetworkError
from dynreg.services import aio
from registered import GOOD, Board

TOPIC = "ABCDEFGHIJ/dev-01/"
OWN = port.wait, port.pause, port.idle, link.Wire


def _client(*peers, **how):
    """(an aio.Client, its Board)."""
    if sys.platform == "webassembly":  # the loop is the browser's
        raise fakes.Lacking("asyncio's own loop")
    board = Board(*peers, clock=fakes.Live)
    return aio.Client(board.boot(), **how), board


def _connected(*answers, latency=20):
    """(client, its peer): what a peer answers after the login, in order."""
    peer = fakes.Peer(GOOD, *answers, latency=latency)
    return _client(peer)[0], peer


class Beats:
    """A task that beats for as long as the block lasts; count."""

    async def __aenter__(self):
        self.count = 0
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _beat(self):
        while True:
            await asyncio.sleep(0.001)
            self.count += 1


async def _sent(peer, count):
    """Waits until the peer has got so many segments."""
    while len(peer.segments) < count:
        await asyncio.sleep(0.005)


async def _raised(kind, awaitable):
    try:
        await awaitable
    except kind as error:
        print("raised:", repr(error))
        return error
    raise AssertionError("nothing was raised")


# --- calls and messages --------------------------------------------------------------------------


def test_connect_subscribe_publish_and_messages_while_another_task_goes_on():
    client, peer = _connected(packets.suback(1, 1), packets.puback(2), latency=100)
    counts, got = [], []

    async def main():
        async with Beats() as beats, client as cloud:
            counts.append(beats.count)
            await cloud.subscribe("control", 1)
            counts.append(beats.count)
            await cloud.publish("event", "on", 1)
            counts.append(beats.count)
            for number in range(3):
                peer.say(packets.publish(TOPIC + "control", b"%d" % number))
            async for topic, message in cloud:
                got.append((topic, bytes(message)))
                if len(got) == 3:
                    break
        return "ended"

    assert aio.run(main()) == "ended"
    assert got == [(TOPIC + "control", b"%d" % number) for number in range(3)]
    assert peer.segments[1:] == [
        packets.subscribe(1, TOPIC + "control", qos=1),
        packets.publish(TOPIC + "event", b"on", 2),
        packets.DISCONNECT,
    ]
    # 100 ms each, and a beat takes one; far fewer do where the machine is busy.
    assert counts[0] > 1 and counts[1] > counts[0] + 1 and counts[2] > counts[1] + 1, counts


def test_calls_of_several_tasks_take_turns():
    answers = [packets.puback(pid) for pid in range(1, 11)]
    client, peer = _connected(*answers, latency=2)

    async def main():
        async with client as cloud:
            await asyncio.gather(*[cloud.publish("event", b"%d" % n, 1) for n in range(10)])

    aio.run(main())
    assert peer.segments[1:-1] == [
        packets.publish(TOPIC + "event", b"%d" % n, n + 1) for n in range(10)
    ]


def test_call_gives_what_the_function_gives_and_raises_what_it_raises():
    client, _ = _connected()

    async def main():
        assert await client.call(divmod, 7, 2) == (3, 1)
        assert await client.call(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]
        await _raised(ZeroDivisionError, client.call(divmod, 1, 0))

    aio.run(main())
    assert (port.wait, port.pause, port.idle, link.Wire) == OWN


def test_a_pause_of_the_librarys_lets_others_run_and_the_watchdog_eat():
    client, _ = _connected()
    idle = []

    async def main():
        fakes.replace(port, "idle", lambda: idle.append(1))
        async with Beats() as beats:
            await client.call(lambda: port.pause(100))
            return beats.count

    assert aio.run(main()) > 1
    assert len(idle) > 1


def test_what_comes_on_top_of_64_messages_is_dropped():
    peer = fakes.Peer(GOOD, packets.suback(1))
    client, board = _client(peer)

    async def main():
        async with client as cloud:
            await cloud.subscribe("control")
            for n in range(100):
                peer.say(packets.publish(TOPIC + "control", b"%d" % n))
            while board.words().count("skipped: 64 wait") < 36:
                await asyncio.sleep(0.01)
            for n in range(64):
                assert (await cloud.message())[1] == b"%d" % n
            peer.say(packets.publish(TOPIC + "control", b"last"))
            return (await cloud.message())[1]

    assert aio.run(main()) == b"last"


def test_a_lost_connection_is_made_anew_by_itself():
    second = fakes.Peer(packets.CONNACK, packets.suback(2))
    client, _ = _client(fakes.Peer(GOOD, packets.suback(1)), second)

    async def main():
        async with client as cloud:
            await cloud.subscribe("control")
            cloud.session.close()
            cloud.session.retry_at = port.ticks_ms()
            await _sent(second, 2)
            second.say(packets.publish(TOPIC + "control", b"found"))
            return (await cloud.message())[1]

    assert aio.run(main()) == b"found"


# --- ends ----------------------------------------------------------------------------------------


def test_without_a_session_there_are_no_messages():
    client, _ = _connected()

    async def main():
        error = await _raised(NetworkError, client.message())
        assert error.code == "network.closed"
        await client.connect()
        waiting = asyncio.create_task(_raised(NetworkError, client.message()))
        await asyncio.sleep(0.05)
        await client.disconnect()
        return (await waiting).code

    assert aio.run(main()) == "network.closed"


def test_without_a_connection_a_call_says_so_and_one_on_its_way_is_waited_for():
    client, peer = _connected(packets.puback(1))

    async def main():
        for call in (client.publish("event", "x"), client.subscribe("control")):
            error = await _raised(NetworkError, call)
            assert error.code == "network.closed"
        await client.disconnect()  # of nothing
        connecting = asyncio.create_task(client.connect())
        await asyncio.sleep(0.005)
        await client.publish("event", "x", 1)
        await connecting
        await client.disconnect()
        error = await _raised(NetworkError, client.publish("event", "x"))
        return error.code

    assert aio.run(main()) == "network.closed"
    assert peer.segments[1:] == [packets.publish(TOPIC + "event", b"x", 1), packets.DISCONNECT]


def test_a_cancelled_disconnect_leaves_no_connection():
    client, peer = _connected()

    async def main():
        await client.connect()
        ending = asyncio.create_task(client.disconnect())
        await _sent(peer, 2)  # it waits for the broker to close, 2 s
        ending.cancel()
        try:
            await ending
        except asyncio.CancelledError:
            print("cancelled")
        return client.session.connected

    assert aio.run(main()) is False
    assert peer.closed


def test_what_only_a_person_can_mend_comes_out_of_message():
    client, _ = _connected()

    async def main():
        await client.connect()

        def refused():
            raise ConfigError("config", "mend it")

        client.session.login = refused
        client.session.close()
        client.session.retry_at = port.ticks_ms()
        error = await _raised(ConfigError, client.message())
        await client.disconnect()
        return error.code

    assert aio.run(main()) == "config"


def test_the_program_ends_with_main_whatever_dynreg_waits_for():
    for kind in (None, KeyError):
        client, peer = _connected()

        async def main(client=client, peer=peer, kind=kind):
            await client.connect()
            peer.say(packets.publish(TOPIC + "control", b"half")[:5])
            await asyncio.sleep(0.2)
            if kind:
                raise kind("main's own")
            return "ended"

        if kind:
            fakes.raises(KeyError, aio.run, main())
        else:
            assert aio.run(main()) == "ended"
        assert (port.wait, port.pause, port.idle, link.Wire) == OWN
        fakes.restore()


# --- cancelled -----------------------------------------------------------------------------------


def test_a_cancelled_connect_leaves_nothing_behind():
    silent = fakes.Peer()
    client, _ = _client(silent, fakes.Peer(GOOD))

    async def main():
        task = asyncio.create_task(client.connect())
        await _sent(silent, 1)
        task.cancel()
        await _raised(asyncio.CancelledError, task)
        assert client.session is None
        assert silent.closed
        await client.connect()
        connected = client.session.connected
        await client.disconnect()
        return connected

    assert aio.run(main()) is True
    assert (port.wait, port.pause, port.idle, link.Wire) == OWN


def test_a_cancelled_publish_leaves_the_connection_as_it_is():
    client, peer = _connected(None, packets.puback(2))

    async def main():
        async with client as cloud:
            task = asyncio.create_task(cloud.publish("event", b"one", 1))
            await _sent(peer, 2)
            task.cancel()
            await _raised(asyncio.CancelledError, task)
            assert cloud.session.connected
            peer.say(packets.puback(1))
            await cloud.publish("event", b"two", 1)

    aio.run(main())
    assert peer.segments[1:] == [
        packets.publish(TOPIC + "event", b"one", 1),
        packets.publish(TOPIC + "event", b"two", 2),
        packets.DISCONNECT,
    ]


def test_a_call_may_be_given_a_time():
    client, _ = _connected()

    async def main():
        async with client as cloud:
            late = asyncio.wait_for(cloud.publish("event", b"one", 1), 0.1)
            await _raised(asyncio.TimeoutError, late)
            return cloud.session.connected

    assert aio.run(main()) is True


def test_who_waits_for_its_turn_may_be_cancelled():
    client, peer = _connected(None, packets.puback(2))

    async def main():
        async with client as cloud:
            first = asyncio.create_task(cloud.publish("event", b"one", 1))
            await _sent(peer, 2)
            second = asyncio.create_task(cloud.publish("event", b"two", 1))
            await asyncio.sleep(0.02)
            second.cancel()
            await _raised(asyncio.CancelledError, second)
            peer.say(packets.puback(1))
            await first
            await cloud.publish("event", b"three", 1)

    aio.run(main())
    assert [packet[-3:] for packet in peer.segments[1:3]] == [b"one", b"ree"]


def test_a_disconnect_in_the_middle_of_a_packet_ends_the_connection():
    client, peer = _connected()

    async def main():
        await client.connect()
        peer.say(packets.publish(TOPIC + "control", b"half")[:5])
        await asyncio.sleep(0.1)
        await client.disconnect()
        return client.session.connected

    assert aio.run(main()) is False
    assert peer.closed
