"""All entry points that bytes from outside reach: how a case is made, and what it is done to."""

import gc

import brokers
import fakes
import files
import replies
import servicecases
import setupcases
import standins
import updatecases

# name: (makes the input of a case from a source, runs it; whatever it raises is a fault)
TARGETS = {
    "device_info": (files.a_device_info, files.read_device_info),
    "reply": (replies.a_reply, replies.read_reply),
    "plaintext": (replies.a_plaintext, replies.read_plaintext),
    "mqtt": (brokers.a_broker, brokers.run_session),
    "time": (brokers.a_time, brokers.read_time),
    "record": (files.a_record, files.read_record),
    "date": (replies.a_date, replies.read_date),
    "service": (servicecases.some_messages, servicecases.run_services),
    "setup": (setupcases.some_packets, setupcases.answer_packets),
    "config": (updatecases.some_configurations, updatecases.run_config),
    "update": (updatecases.some_offers, updatecases.run_updater),
    "download": (updatecases.some_replies, updatecases.run_download),
    "bundle": (updatecases.a_bundle, updatecases.read_bundle),
    "pem": (files.a_pem, files.read_pem),
}
NAMES = sorted(TARGETS)  # a dict has no order on MicroPython


class Environment:
    """What all cases share, for a with statement: a folder with a few device_info.json."""

    def __enter__(self):
        self._folder = fakes.folder()
        undo, standins._undo[:] = standins._undo[:], []
        self._undo = undo
        files.setup()
        replies.setup(self._folder)
        brokers.setup(self._folder)
        if hasattr(gc, "freeze"):
            gc.freeze()  # dynreg collects before each connection, which is slow on CPython

    def __exit__(self, *_):
        standins._undo[:] = self._undo
        fakes.restore()


def run(name, case):
    """One case, with all stand-ins taken back; raises what the target raises."""
    try:
        TARGETS[name][1](case)
    finally:
        fakes.restore()
