"""Who may call what (docs/architecture.md): real threads, schedule() and asyncio on a board."""

import re

from tests_host.flow.conftest import PRODUCT

_HEAD = """
import time
from dynreg import Device, DynregError
device = Device()
got = []
session = device.connect(attempts=0)
session.subscribe("control", lambda topic, message: got.append(bytes(message)))
print("ready")
"""

_SECOND_THREAD = """
import _thread
lock = _thread.allocate_lock()
done = []

def publisher():
    for n in range(40):
        with lock:
            session.publish("event", "thread %d" % n, n % 2)
    done.append(1)

_thread.start_new_thread(publisher, ())
for n in range(40):
    with lock:
        session.publish("event", "main %d" % n, n % 2)
        session.poll(0)
while not done or not got:
    with lock:
        session.poll(0)
    time.sleep_ms(5)
print("ended", session.connected, len(got))
"""

# What a Timer does on a board: the callback comes between any two bytecodes of the program.
_SCHEDULED = """
import _thread
import micropython
refused = [0]
sent = [0]
stop = []

def publish(_):
    try:
        session.publish("event", "from the callback", 0)
        sent[0] += 1
    except DynregError as error:
        refused[0] += error.code == "busy"

def timer():
    while not stop:
        try:
            micropython.schedule(publish, 0)
        except RuntimeError:
            pass
        time.sleep_us(300)
    stop.append(1)

_thread.start_new_thread(timer, ())
for n in range(100):
    session.publish("event", "loop %d" % n, n % 2)
    session.poll(0)
stop.append(1)
while len(stop) < 2:
    time.sleep_ms(1)
session.poll(100)
print("ended", session.connected, sent[0] > 0)
print("sent", sent[0])
"""

_ASYNCIO = """
import asyncio
beats = [0]

async def receive():
    while not got:
        session.poll(0)
        await asyncio.sleep_ms(20)

async def send():
    for n in range(20):
        session.publish("event", "task %d" % n, 0)
        await asyncio.sleep_ms(5)

async def beat():
    while True:
        beats[0] += 1
        await asyncio.sleep_ms(10)

async def main():
    other = asyncio.create_task(beat())
    await asyncio.gather(receive(), send())
    other.cancel()

asyncio.run(main())
print("ended", session.connected, len(got), beats[0] > 5)
"""


def _run(bench, program):
    """The board's output from "ended" on; it is sent a message when it has subscribed."""
    bench.board.write_file("/main.py", _HEAD + program)
    with bench.board.power_on() as running:
        running.wait_for("ready", 30)
        bench.hub.publish(f"{PRODUCT}/{bench.name}/control", "hello")
        running.wait_for(re.compile(r"ended [^\n]*\n"), 30)
        running.wait_repl()
        output = running.output
    bench.check_secrets(output)
    assert "Traceback" not in output, output
    return output[output.index("ended") :]


def _published(bench):
    topic = f"{PRODUCT}/{bench.name}/event"
    return [e for e in bench.hub.events if e["event"] == "publish" and e["topic"] == topic]


def _logins(bench):
    return sum(event["event"] == "login" for event in bench.hub.events)


def test_a_second_thread_publishes_behind_a_lock(bench):
    assert _run(bench, _SECOND_THREAD).startswith("ended True 1")
    assert len(_published(bench)) == 80
    assert _logins(bench) == 1


def test_a_scheduled_callback_never_breaks_a_packet(bench):
    output = _run(bench, _SCHEDULED)
    assert output.startswith("ended True True")
    sent = int(re.search(r"sent (\d+)", output)[1])
    assert len(_published(bench)) == 100 + sent
    assert _logins(bench) == 1


def test_asyncio_goes_on_beside_a_session(bench):
    assert _run(bench, _ASYNCIO).startswith("ended True 1 True")
    assert len(_published(bench)) == 20
    assert _logins(bench) == 1
