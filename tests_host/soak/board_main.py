"""The soak board's main.py: works, loses its connection, comes back, and measures its heap.

SOAK stands in front of it: {"steps", "disconnects", "every"}. What the host (run.py) has to do is
printed, "@soak " and a JSON object; its answer is a message on the topic control.
"""

import gc
import json
import time

from dynreg import Device, log, port

_KINDS = ("kick", "kick", "kick", "reconnect", "kick", "restart")  # ways to lose a connection
_MOST_S = 60  # by the real clock, for whatever run.py has to do

_skipped = [0]  # milliseconds


def _skip(ms):
    """In place of waiting: so much time has gone by."""
    _skipped[0] += ms


port.ticks_ms = lambda: port.ticks_add(time.ticks_ms(), _skipped[0])
port.sleep_ms = _skip
log.level = log.ERROR


class Soak:
    """One board's session and what it counts."""

    def __init__(self):
        self.device = Device()
        self.session = self.device.connect(attempts=3)
        self.messages = 0
        self.lost = 0
        self.session.subscribe("control", self._on_message, 1)

    def _on_message(self, topic, message):
        self.messages += 1

    def ask(self, what, **more):
        """Tells run.py what to do, and waits for the message that says it is done."""
        wanted = self.messages + 1
        print("@soak " + json.dumps(dict(more, do=what)))
        self._until(lambda: self.messages >= wanted, what)

    def _until(self, done, what):
        end = time.ticks_add(time.ticks_ms(), _MOST_S * 1000)
        while not done():
            if time.ticks_diff(end, time.ticks_ms()) < 0:
                raise RuntimeError("nothing came of " + what)
            self.session.poll(20)

    def step(self, number):
        """A publish and a poll; now and then a message, a ping, the time."""
        self.session.publish("event", f'{{"step":{number % 1000 + 1000}}}', number & 1)
        self.session.poll()
        if number % 10 == 5:
            self.ask("send", qos=number // 10 & 1)
        if number % 50 == 25:
            _skip(31000)
            self.session.poll()  # pings
        if number % 200 == 100:
            self.session.sync_clock()

    def lose(self, kind):
        """Loses the connection in one way, and comes back."""
        session = self.session
        if kind == "reconnect":
            session.connect()
        else:
            print("@soak " + json.dumps({"do": kind}))
            self._until(lambda: not session.connected, kind)
            self._until(lambda: session.connected, kind)
        self.lost += 1

    def measure(self, number):
        """The heap in use, reported to run.py, which looks at the sockets meanwhile."""
        gc.collect()
        gc.collect()  # what the first one's finalisers let go of
        self.ask("measure", step=number, heap=gc.mem_alloc(), lost=self.lost, tls=self.session.tls)


def main(steps, disconnects, every):
    soak = Soak()
    # All is done once before it is measured: a name that is new to MicroPython (a qstr) stays for
    # ever, and modules that are loaded for a step bring theirs.
    for number in (0, 1, 5, 15, 25, 100):
        soak.step(number)
    tls = soak.session.tls
    for kind in ("kick", "reconnect", "restart", "without psk", "with psk"):
        soak.lose(kind)
    while soak.session.tls != tls:  # a broker that has turned PSK down is asked again now and then
        soak.lose("kick")
    soak.lost = 0
    for number in range(steps + 1):  # step 0 is the first reconnect
        if number:
            soak.step(number)
        if number == 0 or number * disconnects // steps > (number - 1) * disconnects // steps:
            soak.lose(_KINDS[soak.lost % len(_KINDS)])
        if number % every == 0:
            soak.measure(number)
    soak.ask("end", messages=soak.messages)


try:
    main(**SOAK)  # noqa: F821 (stands in front)
except Exception as error:
    print("@soak " + json.dumps({"do": "failed", "error": repr(error)}))
    raise
