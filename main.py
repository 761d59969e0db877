"""Registers on the first boot, logs in, sets the clock, then runs the application for ever.

Ctrl-C on the serial console disconnects and gives the REPL; so does an error that only a
person can mend. What waiting may mend is waited for. Nothing here resets the board.
"""

import time

from dynreg import Device, DynregError, ProtocolError, log

HEARTBEAT_S = 60


def on_control(topic, message):
    """Your code: what to do with a message on {productId}/{deviceName}/control."""
    log.info("control: %s" % message)


def with_retries(session, call, *arguments):
    """call(*arguments), again as long as the fault is one that poll() may heal meanwhile."""
    while True:
        try:
            return call(*arguments)
        except DynregError as error:
            if not error.retry:
                raise
            log.warning("main: %s [%s]" % (error, error.code))
            session.poll(5000)


def run(device):
    session = device.connect(attempts=0)
    try:
        with_retries(session, device.sync_clock)
    except ProtocolError as error:  # a cloud that cannot tell the time is no reason to stop
        log.error("main: %s [%s]" % (error, error.code))
    print(device.report())
    with_retries(session, session.subscribe, "control", on_control)
    while True:
        if session.connected:
            with_retries(session, session.publish, "event", '{"heartbeat":%d}' % time.time())
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
