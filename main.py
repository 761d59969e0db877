"""Registers on the first boot, logs in, sets the clock, then runs the application for ever.

Ctrl-C on the serial console disconnects and gives the REPL; so does an error that only a
person can mend on this board. Whatever else fails is tried again, for ever. Nothing here resets
the board.
"""

from dynreg import ConfigError, Device, DynregError, log, unix_time

HEARTBEAT_S = 60


def on_control(topic, message):
    """Your code: what to do with a message on {productId}/{deviceName}/control."""
    log.info("control: %s" % message)


def attempt(call, *arguments):
    """Whether call(*arguments) worked. Its error is logged, for another time to come; but one that
    a person must mend in a file or in this program comes out.
    """
    try:
        call(*arguments)
        return True
    except ConfigError:
        raise
    except DynregError as error:
        log.warning("main: %s [%s]" % (error, error.code))
        return False


def run(device):
    session = device.connect(attempts=0)
    # A cloud that cannot tell the time, or refuses a topic, is no reason not to start.
    todo = [(device.sync_clock,), (session.subscribe, "control", on_control)]
    todo = [job for job in todo if not attempt(*job)]
    if todo:
        session.poll(5000)  # a lost connection comes back meanwhile
        todo = [job for job in todo if not attempt(*job)]
    print(device.report())
    beats = 0
    while True:
        if session.connected and attempt(
            session.publish, "event", '{"heartbeat":%d}' % unix_time()
        ):
            log.info("heartbeat: sent")
        session.poll(HEARTBEAT_S * 1000)
        beats += 1
        if session.connected and (beats < 5 or beats % 30 == 0):
            todo = [job for job in todo if not attempt(*job)]


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
