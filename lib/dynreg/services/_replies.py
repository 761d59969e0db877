"""Requests in JSON with a client token, and their replies: for shadow and thing."""

import ujson as json
from micropython import const
from ubinascii import hexlify

from .. import log, port
from ..errors import ConfigError, NetworkError, ProtocolError

_LATE_MS = const(10000)  # after which nobody waits for a reply any more
_MOST = const(16)  # requests that wait for one
_SLICE_MS = const(20)  # of poll(), while one is waited for


class Requests:
    """Those of one service. name: for sentences; code: the field that is 0 where all went well."""

    def __init__(self, session, name, code):
        self.session = session
        self._name = name
        self._code = code
        # Another one on each boot: a late reply of the boot before is not ours.
        self._first = hexlify(port.random_bytes(3)).decode()
        self._number = 0
        self._waiting = {}  # token: [ticks_ms when it is too late, the reply once it is there]

    def ask(self, topic, message, ms, qos=0):
        """Sends message (dict) with a token; its reply (dict), or None at once where ms is 0.

        Then a refusal and a missing reply are logged. NetworkError: not sent, or no reply within
        ms ("network.timeout"); ProtocolError "service.refused"; ConfigError: ms within a callback.
        """
        session = self.session
        if ms and session.inbox and session.inbox[0] is None:
            raise ConfigError("argument", "a callback cannot wait for a reply: give ms=0")
        self._forget()
        self._number += 1
        token = message["clientToken"] = "%s-%d" % (self._first, self._number)
        session.publish(topic, json.dumps(message), qos)
        end = port.ticks_add(port.ticks_ms(), ms or _LATE_MS)
        waiting = self._waiting[token] = [end, None]
        if not ms:
            return None
        try:
            while waiting[1] is None:
                left = port.ticks_diff(end, port.ticks_ms())
                if left <= 0:
                    raise NetworkError(
                        "network.timeout", "%s: no reply within %d ms" % (self._name, ms)
                    )
                session.poll(min(left, _SLICE_MS))
        finally:
            self._waiting.pop(token, None)
        reply = waiting[1]
        if self._refused(reply):
            error = ProtocolError("service.refused", self._words(reply), False)
            error.cloud_code = str(reply.get(self._code))
            error.cloud_message = reply.get("status")
            raise error
        return reply

    def replied(self, reply):
        """Takes a reply; whether it is to a request of ours, and it is a good one."""
        token = reply.get("clientToken")
        waiting = self._waiting.get(token) if isinstance(token, str) else None
        if not waiting:
            return False
        waiting[1] = reply
        refused = self._refused(reply)
        if refused:
            log.warning(self._words(reply))
        return not refused

    def parsed(self, message):
        """A message's JSON object; ValueError, which ends no more than its callback."""
        value = json.loads(message)
        if not isinstance(value, dict):
            raise ValueError("no JSON object")
        return value

    def _refused(self, reply):
        return reply.get(self._code) != 0

    def _words(self, reply):
        return "%s: refused: %s %s" % (self._name, reply.get(self._code), reply.get("status", ""))

    def _forget(self):
        """Drops what has its reply, and says what has none."""
        for token in list(self._waiting):
            end, reply = self._waiting[token]
            late = port.ticks_diff(end, port.ticks_ms()) <= 0
            if late and not reply:
                log.warning("%s: no reply to a request" % self._name)
            if late or reply or len(self._waiting) > _MOST:
                self._waiting.pop(token)
