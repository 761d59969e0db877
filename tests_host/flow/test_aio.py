"""services/aio.py on a board, against the hub: what other tasks see of each wait; cancels."""

import re

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB

MODULE = "dynreg/services/aio"

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


@pytest.fixture
def aio_bench(provisioned_board, tmp_path):
    """The registered board with the service on it."""
    compiled = tmp_path / "aio.mpy"
    mpy.compile_file(LIB / f"{MODULE}.py", MODULE, compiled)
    provisioned_board.board.write_file(f"/lib/{MODULE}.mpy", compiled.read_bytes())
    return provisioned_board


def test_no_wait_holds_up_the_other_tasks(aio_bench):
    for packet in ("connack", "suback", "puback"):
        aio_bench.hub.fault(f"mqtt-{packet}-late:1.5")
    aio_bench.board.write_file("/main.py", HEAD + WAITS)
    with aio_bench.power_on() as running:
        running.wait_for("ready", 30)
        aio_bench.hub.publish(aio_bench.topic("control"), "hello")
        running.wait_for("DONE", 30)
        output = running.output
    assert "Traceback" not in output
    assert "b'hello'" in output
    for what in ("connect", "publish", "subscribe"):
        ms, beats = map(int, re.search(rf"PASSED {what} (\d+) (\d+)", output).groups())
        assert ms >= 1500, output
        assert beats >= ms / 300, output  # ten a second, on a machine that has time for it
    assert aio_bench.hub.wait_for("disconnect", reason="client")


def test_a_handshake_may_be_cancelled(aio_bench):
    aio_bench.hub.fault("tcp-silent@broker:0")
    aio_bench.board.write_file("/main.py", HEAD + HANDSHAKES)
    with aio_bench.power_on() as running:
        running.wait_for("ready", 30)
        aio_bench.hub.clear_faults()
        running.wait_for("DONE", 30)
        output = running.output
    assert "Traceback" not in output
    assert output.count("CANCELLED None") == 5
    assert aio_bench.hub.wait_for("publish", topic=aio_bench.topic("event"), qos=1)
    assert aio_bench.hub.wait_for("disconnect", reason="client")
