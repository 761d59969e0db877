"""A heater that the cloud can set: reports its temperature, and takes a new target at any time."""

import json

import thermostat
from dynreg import ConfigError, Device, DynregError

PERIOD_MS = 60000


def on_control(topic, message):
    try:
        heater.target = float(json.loads(message)["target"])
    except (ValueError, KeyError, TypeError):
        print("control: not understood")
        return
    print("control: target", heater.target)


heater = thermostat.Thermostat(target=20.0)
session = Device().connect(attempts=0)
listening = False
while True:
    try:
        if not listening:
            session.subscribe("control", on_control)
            listening = True  # dynreg subscribes again after a lost connection
        session.publish("event", json.dumps(heater.report()), wait=True)
        print("heater:", "on" if heater.update() else "off")
    except ConfigError:
        raise
    except DynregError as error:
        print("heater: not reported,", error)
    session.poll(PERIOD_MS if listening else 5000)  # a lost connection comes back meanwhile
