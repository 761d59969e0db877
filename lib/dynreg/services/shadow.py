"""The device shadow: reported and desired state in the cloud (docs/protocol.md, 7b).

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
from ._replies import Requests, as_dict


class Shadow(Requests):
    """desired: what the cloud wants, as far as is known; version: of the document, 0 before.

    changed(delta, version): called within poll() with what is desired and not reported, each time
    that it is pushed or read. path: of a file that keeps desired over a power cut, written only
    when that has changed, and then once; without one nothing is written.
    A flash that does not take it is logged. LoginError where the cloud does not grant the topic;
    NetworkError.
    """

    CODE = "result"

    def __init__(self, session, changed=None, path=None):
        super().__init__(session)
        self.desired = {}
        self.version = 0
        self._changed = changed
        self._path = path
        owner = session.info.owner
        self._topic = "$shadow/operation/" + owner
        if path:
            self.desired = kept(path)
        session.subscribe("$shadow/operation/result/" + owner, self._arrived)

    def read(self, ms=10000):
        """The shadow's state: {"reported": …, "desired": …, "delta": …}, each where there is one.

        ms and errors: as report(); None for ms=0.
        """
        reply = self._ask(self._topic, {"type": "get"}, ms)
        return reply and _state(reply)[0]

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
        self._ask(self._topic, message, ms)

    def _got(self, value):
        kind = value.get("type")
        pushed = kind == "delta"
        if not (pushed or self._replied(value)):
            return
        state, version = _state(value)
        desired, delta = self.desired, None
        if kind == "get":
            self._since = self.session.since
            desired = state.get("desired") or {}
            delta = state.get("delta")
        elif version < self.version:
            if pushed:
                self.read(0)  # it was overtaken, or the cloud counts anew
            return
        elif pushed:
            desired, delta = dict(desired), state
            desired.update(delta)
        elif "desired" in state:
            desired = state["desired"] or {}
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


def kept(path):
    """What was desired last, as Shadow(…, path=path) has kept it; {} where it has not.

    Needs no session: for a board that is to stand as it was last wanted before it has a network.
    """
    try:
        port.step("storage.credentials", "recover", path)
        data = port.step("storage.credentials", "contents", path)  # a CRC-32 and JSON
    except OSError:
        return {}
    if len(data) > 4 and crc32(data[4:]) == int.from_bytes(data[:4], "big"):
        return json.loads(data[4:])
    log.warning("shadow: %s is damaged and not used" % path)
    return {}


def _state(message):
    """(state, version) of a message's payload; ProtocolError where it has none."""
    payload = as_dict(message.get("payload"))
    version = payload.get("version")
    return as_dict(payload.get("state")), version if isinstance(version, int) else 0
