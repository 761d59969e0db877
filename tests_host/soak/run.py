"""One soak: a virtual board and a local hub, with what the board asks for done here."""

import json
import queue
import random
import re
import secrets
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from dynreg_tools import demo
from dynreg_tools.hub import Hub, HubError
from dynreg_tools.virtualboard import Board

MAIN = Path(__file__).with_name("board_main.py")
_REQUEST = re.compile(r"^@soak (\{.*\})\r?$", re.MULTILINE)
_SILENCE_S = 90
SLACK = 256  # bytes of heap that may differ: once, by what of a login was on its way


class SoakError(Exception):
    """The soak failed; the message is one sentence."""


class Point(NamedTuple):
    """What was seen after `step` steps: bytes of heap, the board's descriptors, the hub's view."""

    step: int
    heap: int
    descriptors: int
    connections: int


class Result(NamedTuple):
    """tls: how the board was connected; points in order, the first after the first reconnect."""

    tls: str
    steps: int
    disconnects: int
    messages: int
    points: list[Point]
    seconds: float

    def faults(self) -> list[str]:
        """What is not at the end as it was after the first reconnect, as sentences."""
        first, last = self.points[0], self.points[-1]
        found = []
        if abs(last.heap - first.heap) > SLACK:
            found.append(f"the heap grew by {last.heap - first.heap} bytes")
        for point in self.points:
            if point.descriptors != first.descriptors:
                found.append(f"{point.descriptors} descriptors instead of {first.descriptors}")
            if point.connections != 1:
                found.append(f"the hub has {point.connections} connections of one board")
        return list(dict.fromkeys(found))


def soak(folder, psk, steps, disconnects, every, progress=lambda text: None, main=None) -> Result:
    """Runs one soak in folder, over TLS-PSK or verified TLS.

    progress gets a line now and then; main is the text of another main.py for the board.
    SoakError, BoardError, HubError.
    """
    began = time.monotonic()
    hub_runner = _HubRunner(folder, psk)
    hub = hub_runner.hub
    board = Board.new(folder / "board", wifi={"bench": hub_runner.password}, ntp=hub.ntp)
    job = {"steps": steps, "disconnects": disconnects, "every": every}
    try:
        with board.power_on() as running:
            batch = demo.batch_file(hub, hub_runner.password)
            demo.deploy(running.port, folder, batch, hub.ca_der)
        board.write_file("/main.py", f"SOAK = {job!r}\n" + (main or MAIN.read_text()))
        points = []
        with board.power_on() as running:
            for request in _requests(running):
                if request["do"] == "measure":
                    tls, lost, step, heap = (
                        request[key] for key in ("tls", "lost", "step", "heap")
                    )
                    points.append(
                        Point(step, heap, _descriptors(running.pid), hub_runner.connections())
                    )
                    progress(f"{tls}: {step} of {steps} steps, {heap} bytes of heap")
                hub_runner.do(board, request)
                if request["do"] == "end":
                    seconds = round(time.monotonic() - began, 1)
                    return Result(tls, steps, lost, request["messages"], points, seconds)
    finally:
        hub_runner.hub.stop()


def _descriptors(pid):
    """How many the process has open; 0 on systems that do not tell."""
    folder = Path(f"/proc/{pid}/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def _requests(running):
    """What the board asks for, as dicts. SoakError where it fails or falls silent."""
    requests = queue.SimpleQueue()
    rest = ""

    def listen(text):
        nonlocal rest
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            if found := _REQUEST.match(line):
                requests.put(json.loads(found[1]))

    running.on_output(listen)
    for line in _REQUEST.findall(running.output):
        requests.put(json.loads(line))
    while True:
        try:
            request = requests.get(timeout=_SILENCE_S)
        except queue.Empty:
            raise SoakError(f"the board says nothing; last: {running.output[-300:]}") from None
        if request["do"] == "failed":
            raise SoakError(f"the board failed: {request['error']}")
        yield request


class _HubRunner:
    """The hub, started again where it is asked for, on the same ports."""

    def __init__(self, folder, psk):
        self._psk = psk
        self.password = secrets.token_urlsafe(9)
        self._count = Counter()
        for _ in range(20):
            self._options = {
                "data": folder / "hub",
                "product_id": "SOAKTESTS0",
                "product_secret": secrets.token_hex(12),
                "cert_key": "ec",
                "strict": True,
                "port_base": random.randrange(20000, 60000, 5),
                "record": False,
                "on_event": self._on_event,
            }
            try:
                self._start(psk)
                return
            except HubError:
                continue  # a port is in use
        raise SoakError("no five free ports in a row")

    def _start(self, psk):
        self.hub = Hub(psk=psk, **self._options)
        self.hub.start()

    def _on_event(self, event):
        self._count[event["event"]] += 1

    def connections(self):
        """How many the broker has; what is ending is given a moment."""
        for _ in range(100):
            count = self._count["login"] - self._count["disconnect"]
            if count == 1:
                break
            time.sleep(0.02)
        return count

    def do(self, board, request):
        """What the board asked for."""
        name = "esp32-" + board.unique_id.hex()
        if request["do"] == "kick":
            self.hub.kick(name)
        elif request["do"] in ("restart", "with psk", "without psk"):
            self.hub.stop()
            self._start(self._psk and request["do"] != "without psk")
        else:
            topic = f"{self.hub.product_id}/{name}/control"
            if not self.hub.publish(topic, b"done", request.get("qos", 0)):
                raise SoakError("nobody listens to the hub's messages")
