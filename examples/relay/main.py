"""A relay that the cloud switches, and that after a power cut stands as it was last wanted.

What is to last is desired in the shadow, {"on": true}, also of a board that is offline. What is to
be done now and once is a call, {"pulse_ms": 500}, with its answer when it is done.
"""

import json

import machine
from dynreg import ConfigError, Device, DynregError
from dynreg.services import rrpc, shadow
from relay import Relay

KEPT = "/relay.shadow"
LONGEST_MS = 3000  # the cloud waits 4 s for an answer


def called(call):
    """Answers at once what it refuses, else when the pulse is over."""
    try:
        ms = int(json.loads(call.message)["pulse_ms"])
    except (ValueError, KeyError, TypeError):
        ms = 0
    if not 0 < ms <= LONGEST_MS:
        return '{"error": "pulse_ms has 1 to %d"}' % LONGEST_MS
    if calls:
        return '{"error": "a pulse is on its way"}'
    relay.pulse(ms)
    calls.append(call)
    return None


def changed(delta, version):
    if isinstance(delta.get("on"), bool):
        relay.set(delta["on"])
        print("relay: on" if relay.on else "relay: off")
    document.report({"on": relay.on}, ms=0)


def serve(session):
    """Both services; tried until the cloud grants them."""
    while True:
        try:
            rrpc.serve(session, called)
            return shadow.Shadow(session, changed, KEPT)
        except ConfigError:
            raise
        except DynregError as error:
            print("relay: not yet,", error)
            session.poll(5000)  # a lost connection comes back meanwhile


calls = []  # whose answer is due when the pulse is over
# Before there is a network: what was desired last.
relay = Relay(machine.Pin(26, machine.Pin.OUT), shadow.kept(KEPT).get("on") is True)
print("relay: starts on" if relay.on else "relay: starts off")
session = Device().connect(attempts=0)
document = serve(session)
while True:
    try:
        document.sync()
        if relay.update() and calls:
            calls.pop().answer(json.dumps({"on": relay.on}))
    except ConfigError:
        raise
    except DynregError as error:
        print("relay:", error)
    session.poll(50)
