"""What runs on the board as main.py: one step of the flow at a time, asked for at the prompt.

Each call prints one line, "step: " and a JSON object: how the step ended, in how many seconds of
the board's own clock, and the code of every error that was made on the way. Device side.
"""

import json
import sys

from dynreg import Device, DynregError, port
from dynreg.errors import ConfigError

codes = []
messages = []
device = Device()
_make = DynregError.__init__


def _noted(self, code, *rest, **named):
    codes.append(code)
    _make(self, code, *rest, **named)


DynregError.__init__ = _noted


def on_control(topic, message):
    messages.append(bytes(message).decode())


def flow():
    """All that a board promises, with the objects that are there."""
    session = device.session
    try:
        if session:
            until_connected(600)
    except ConfigError:  # not connected on purpose
        session = None
    session = session or device.connect(attempts=3)
    device.sync_clock()
    session.subscribe("control", on_control)
    session.publish("event", "well", 1)


def until_connected(seconds):
    session = device.session
    end = port.ticks_add(port.ticks_ms(), seconds * 1000)
    session.poll(0)
    while not session.connected and port.ticks_diff(end, port.ticks_ms()) > 0:
        session.poll(1000)


def receive():
    """Until a message comes."""
    before, end = len(messages), port.ticks_add(port.ticks_ms(), 10000)
    while len(messages) == before and port.ticks_diff(end, port.ticks_ms()) > 0:
        device.session.poll(10)


def session():
    """One login with the time, from the first byte to the last."""
    try:
        device.connect()
        device.sync_clock()
    finally:
        if device.session:
            device.session.disconnect()


STEPS = {
    "register": lambda: device.connect(attempts=2),
    "only register": device.register,
    "login": lambda: device.connect(attempts=2),
    "login for long": lambda: device.connect(attempts=5),
    "time": device.sync_clock,
    "subscribe": lambda: device.session.subscribe("control", on_control),
    "publish": lambda: device.session.publish("event", "x", 1),
    "poll": lambda: device.session.poll(45000),
    "poll for long": lambda: device.session.poll(150000),
    "poll until connected": lambda: until_connected(600),
    "receive": receive,
    "session": session,
    "flow": flow,
}


def step(name):
    del codes[:]
    began = port.ticks_ms()
    report = {"code": None, "retry": None, "text": ""}
    try:
        STEPS[name]()
    except DynregError as error:
        report["code"], report["retry"], report["text"] = error.code, error.retry, str(error)
    except Exception as error:
        sys.print_exception(error)
        report["code"] = "unhandled " + type(error).__name__
    report["seconds"] = port.ticks_diff(port.ticks_ms(), began) / 1000
    report["codes"] = codes
    report["messages"] = messages
    report["connected"] = bool(device.session and device.session.connected)
    report["unix"] = port.unix_ms() // 1000
    print("step: " + json.dumps(report))
