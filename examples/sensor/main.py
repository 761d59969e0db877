"""A sensor on a battery: wakes, measures, sends, sleeps deeply.

{"temperature": 19, "time": 1795860128} on {productId}/{deviceName}/event. What finds no network
waits in flash and goes out in order at the next waking that has one.
"""

import json
import sys

import machine
from dynreg import Device, DynregError, unix_time
from dynreg.services.queue import Queue
from settings import SLEEP_S


def measure():
    """Degrees Celsius; this board has no sensor, its number stands in for one."""
    return 15 + machine.unique_id()[-1] % 10


def run():
    reading = {"temperature": measure(), "time": unix_time()}  # 0 before the clock was ever set
    session = None
    try:
        device = Device()
        session = device.connect()  # one try: the next waking is another
        device.sync_clock()  # deep sleep keeps the clock, but not well
    except DynregError as error:
        print("sensor: offline,", error)
    reading["time"] = reading["time"] or unix_time()
    queue = Queue()
    if not queue.put("event", json.dumps(reading), session):
        print("sensor: no room for a reading")
    queue.save()
    print("sensor: %d waiting" % queue.waiting)
    if session:
        session.disconnect()


try:
    run()
except Exception as error:  # the next waking tries again; Ctrl-C, no Exception, ends it
    sys.print_exception(error)
machine.deepsleep(SLEEP_S * 1000)
