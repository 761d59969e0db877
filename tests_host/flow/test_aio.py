"""services/aio.py on a board, against the hub: what other tasks see of each wait; cancels."""

import re

# A task beats ten times a second.
HEAD = """
import asyncio
import time
from dynreg import Device, DynregError, log
from dynreg.services import aio

beats = 0

async def beat():
    global beats
    while True:
        await asyncio.sleep_ms(100)
        beats += 1

async def main():
    other = asyncio.create_task(beat())
    await told()
    other.cancel()

"""

WAITS = """
async def timed(what, awaitable):
    began, before = time.ticks_ms(), beats
    result = await awaitable
    print("PASSED", what, time.ticks_diff(time.ticks_ms(), began), beats - before)
    return result

async def told():
    cloud = aio.Client(Device(), attempts=0)
    await timed("connect", cloud.connect())
    await timed("publish", cloud.publish("event", "x", 1))
    await timed("subscribe", cloud.subscribe("control"))
    print("ready")
    print("GOT", await cloud.message())
    await cloud.disconnect()

aio.run(main())
print("DONE")
"""

HANDSHAKES = """
async def told():
    cloud = aio.Client(Device())
    for _ in range(5):
        try:
            await asyncio.wait_for(cloud.connect(), 0.3)
        except asyncio.TimeoutError:
            print("CANCELLED", cloud.session, beats)
    print("ready")
    while not cloud.session:
        try:
            await cloud.connect()
        except DynregError as error:
            log.warning(str(error))
    await cloud.publish("event", "x", 1)
    await cloud.disconnect()

aio.run(main())
print("DONE")
"""


def test_no_wait_holds_up_the_other_tasks(provisioned_board):
    for packet in ("connack", "suback", "puback"):
        provisioned_board.hub.fault(f"mqtt-{packet}-late:1.5")
    provisioned_board.install({"/main.py": HEAD + WAITS})
    with provisioned_board.power_on() as running:
        running.wait_for("ready", 30)
        provisioned_board.hub.publish(provisioned_board.topic("control"), "hello")
        running.wait_for("DONE", 30)
        output = running.output
    assert "Traceback" not in output
    assert "b'hello'" in output
    for what in ("connect", "publish", "subscribe"):
        ms, beats = map(int, re.search(rf"PASSED {what} (\d+) (\d+)", output).groups())
        assert ms >= 1500, output
        assert beats > 1, output  # of ten a second, on a machine that is not busy
    assert provisioned_board.hub.wait_for("disconnect", reason="client")


def test_a_handshake_may_be_cancelled(provisioned_board):
    provisioned_board.hub.fault("tcp-silent@broker:0")
    provisioned_board.install({"/main.py": HEAD + HANDSHAKES})
    with provisioned_board.power_on() as running:
        running.wait_for("ready", 30)
        provisioned_board.hub.clear_faults()
        running.wait_for("DONE", 30)
        output = running.output
    assert "Traceback" not in output
    assert output.count("CANCELLED None") == 5
    assert provisioned_board.hub.wait_for("publish", topic=provisioned_board.topic("event"), qos=1)
    assert provisioned_board.hub.wait_for("disconnect", reason="client")
