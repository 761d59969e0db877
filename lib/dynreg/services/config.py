"""Remote configuration: a JSON object that the cloud keeps for this device (docs/protocol.md, 7).

    from dynreg.services.config import Config

    config = Config(session, changed)
    while True:
        session.poll(1000)
        config.poll()

config.value is what was kept last, also before the first connection of a boot.
"""

import ujson as json
from micropython import const
from ubinascii import crc32

from .. import log, port
from ..errors import DynregError

_ANSWER_MS = const(10000)
_TRIES = const(3)  # to have an answer, on each connection
_AGAIN_MS = const(60000)  # after what went wrong
_NONE = const(1001)  # the cloud has none for this device, or they are switched off


class Config:
    """One device's configuration. No network is needed to make one.

    changed: called within session.poll() with each new object, before it is kept: what it raises
    is logged, and the object is not kept. value: a dict, or None where there never was one.
    path: of the file, which holds the old object or the new one whenever the power goes.
    """

    def __init__(self, session, changed=None, path="/remote.config"):
        self.session = session
        self.changed = changed
        self.path = path
        self.value = _read(path)
        self._since = self._due = None
        self._left = 0

    def poll(self):
        """Asks for it on each new connection, three times at most. Call it beside session.poll().

        What a network does does not come out. StorageError is logged: the object is not kept.
        """
        session, now = self.session, port.ticks_ms()
        if not session.connected:
            return
        if self._since != session.since:
            self._since = session.since
            self._left = _TRIES
            self._due = now
        if self._due is None or port.ticks_diff(now, self._due) < 0:
            return
        if not self._left:
            self._due = None
            log.warning("config: no answer; what was kept stays")
            return
        try:
            self._left -= 1
            self._due = port.ticks_add(now, _ANSWER_MS)
            topic = "$config/operation/result/" + session.info.owner
            if topic not in session.callbacks:
                session.subscribe(topic, self._arrived, 1)
            session.publish("$config/operation/" + session.info.owner, '{"type":"get"}')
        except DynregError as error:
            if not error.retry:
                raise
            log.warning("config: %s [%s]" % (error, error.code))
            self._left = _TRIES
            self._due = port.ticks_add(port.ticks_ms(), _AGAIN_MS)

    def _arrived(self, _, message):
        """What it does not understand the session logs."""
        told = json.loads(message)
        kind, result = told["type"], told.get("result", 0)
        if kind == "reply":
            self._due = None
        elif kind != "push":
            return
        if result:
            words = "the cloud has none" if result == _NONE else "result %r" % result
            log.info("config: %s; what was kept stays" % words)
            return
        value = told["payload"]
        if not isinstance(value, dict):
            raise ValueError("config: no object")
        if value == self.value:
            return
        if self.changed:
            self.changed(value)
        data = crc32(message).to_bytes(4, "big") + message  # what JSON says anew may be another
        port.step("storage.store", "replace", self.path, data)
        self.value = value
        log.info("config: a new one is kept, %d bytes" % len(message))


def _read(path):
    """What was kept; the temporary file is whole where FAT has lost the other."""
    for name in (path, path + ".tmp"):
        try:
            with open(name, "rb") as file:
                data = file.read()
            if data[:4] == crc32(data[4:]).to_bytes(4, "big"):
                return json.loads(data[4:])["payload"]
        except (OSError, ValueError):
            pass
    return None
