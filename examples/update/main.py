"""A program that is replaced over the air (docs/ota.md).

It reports each minute. A new version keeps itself once it has reported; one that does not come to
that is given up, and the version before runs again.
"""

import json

import words
from dynreg import ConfigError, Device, DynregError
from dynreg.services import ota

REPORTS = 60  # polls of one second from one report to the next


def report():
    """Whether the cloud has it."""
    try:
        text = json.dumps({"version": updater.version, "text": words.TEXT})
        session.publish("event", text, 1)
        return True
    except ConfigError:
        raise
    except DynregError as error:
        print("app: not reported,", error)
        return False


session = Device().connect(attempts=0)
updater = ota.Updater(session)
print("app: version", updater.version)
left = 0
while True:
    if not left and session.connected and report():
        left = REPORTS
        updater.confirm()  # it can log in and report, so it can also be updated again
    left = max(0, left - 1)
    session.poll(1000)
    updater.poll()
