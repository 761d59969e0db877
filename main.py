"""Registers on the first boot, logs in, sets the clock, then runs the application for ever.

Ctrl-C on the serial console disconnects and gives the REPL; so does an error that only a
person can mend. Nothing here resets the board.
"""

import time

from dynreg import Device, DynregError, log

HEARTBEAT_S = 60


def on_control(topic, message):
    """Your code: what to do with a message on {productId}/{deviceName}/control."""
    log.info("control: %s" % message)


def run(device):
    session = device.connect(attempts=0)
    device.sync_clock()
    print(device.report())
    session.subscribe("control", on_control)
    while True:
        if session.connected:
            session.publish("event", '{"heartbeat":%d}' % time.time())
            log.info("heartbeat: sent")
        session.poll(HEARTBEAT_S * 1000)


def main():
    device = None
    try:
        device = Device()
        run(device)
    except DynregError as error:
        log.error("%s [%s]" % (error, error.code))
        print(device.report(error) if device else 'dynreg: {"error": "%s"}' % error.code)
    except KeyboardInterrupt:
        log.info("main: stopped by Ctrl-C")
    finally:
        if device and device.session:
            device.session.disconnect()


main()
