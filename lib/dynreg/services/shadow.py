"""The device shadow: reported and desired state in the cloud (docs/protocol.md, 7).

from dynreg.services.shadow import Shadow

def changed(delta, version):
    if "led" in delta:
        led.value(delta["led"])
    shadow.report(delta, clear=True, ms=0)

shadow = Shadow(session, changed)
while True:
    session.poll(1000)
    shadow.sync()
"""

import ujson as json
from ubinascii import crc32

from .. import log, port
from ._replies import Requests


class Shadow:
    """desired: what the cloud wants, as far as is known; version: of the document, 0 before.

    changed(delta, version): called within poll() with what is desired and not reported, each time
    that it is pushed or read. path: of a file that keeps desired over a power cut, written only
    when that has changed, and then once; without one nothing is written.
    LoginError where the cloud does not grant the topic; NetworkError; StorageError for path.
    """

    def __init__(self, session, changed=None, path=None):
        self.desired = {}
        self.version = 0
        self._changed = changed
        self._path = path
        self._since = None
        self._requests = Requests(session, "shadow", "result")
        self._topic = "$shadow/operation/" + session.info.owner
        if path:
            self._load()
        session.subscribe("$shadow/operation/result/" + session.info.owner, self._arrived)

    def sync(self):
        """Asks for the whole shadow once on each connection: what was missed comes to changed().

        Waits for nothing, and is cheap on a connection that has asked already.
        """
        session = self._requests.session
        if session.connected and session.since != self._since:
            self.get(ms=0)
            self._since = session.since

    def get(self, ms=10000):
        """The shadow's state: {"reported": …, "desired": …, "delta": …}, each where there is one.

        ms=0 waits for nothing and gives None. Errors as report().
        """
        reply = self._requests.ask(self._topic, {"type": "get"}, ms)
        return _state(reply)[0] if reply else None

    def report(self, state=None, clear=False, version=0, ms=10000):
        """Reports state (dict; a key set to None goes away). clear: nothing is desired any more.

        version: the cloud refuses where the shadow has another one; 0: whatever it has. ms: how
        long to wait for the reply; 0, as within a callback, waits for none, and the log says if it
        was refused. NetworkError: not sent, or "network.timeout"; ProtocolError "service.refused"
        with .cloud_code.
        """
        parts = {}
        if state is not None:
            parts["reported"] = state
        if clear:
            parts["desired"] = None
        message = {"type": "update", "state": parts}
        if version:
            message["version"] = version
        self._requests.ask(self._topic, message, ms)

    def _arrived(self, topic, message):
        value = self._requests.parsed(message)
        kind = value.get("type")
        if kind == "delta":
            delta, version = _state(value)
            if version < self.version:
                self.get(ms=0)  # it was overtaken, or the cloud counts anew
                return
            desired = dict(self.desired)
            desired.update(delta)
        elif self._requests.replied(value):
            state, version = _state(value)
            delta = None
            desired = self.desired
            if kind == "get":
                desired = state.get("desired") or {}
                delta = state.get("delta")
            elif "desired" in state:
                desired = state["desired"] or {}
            elif version < self.version:
                return
        else:
            return
        new = desired != self.desired
        self.desired = desired
        self.version = version
        try:
            if new and self._path:
                data = json.dumps(desired).encode()
                data = crc32(data).to_bytes(4, "big") + data
                port.step("storage.store", "put", self._path, data)
        finally:
            if delta and self._changed:
                self._changed(delta, version)

    def _load(self):
        """Reads the file, if there is one: a CRC-32 and JSON."""
        try:
            port.step("storage.credentials", "recover", self._path)
            data = port.step("storage.credentials", "contents", self._path)
        except OSError:
            return
        try:
            if crc32(data[4:]) != int.from_bytes(data[:4], "big"):
                raise ValueError
            self.desired = dict(json.loads(data[4:]))
        except (TypeError, ValueError):
            log.warning("shadow: %s is damaged and not used" % self._path)


def _state(message):
    """(state, version) of a message's payload; ValueError where it has none."""
    payload = message.get("payload")
    if isinstance(payload, dict):
        state, version = payload.get("state"), payload.get("version")
        if isinstance(state, dict) and isinstance(version, int):
            return state, version
    raise ValueError("no shadow")
