"""Requests in JSON with a client token, and their replies: for shadow and thing."""

import ujson as json
from micropython import const
from ubinascii import hexlify

from .. import log, port
from ..errors import ConfigError, NetworkError, ProtocolError

_AGAIN_MS = const(5000)  # until sync() asks once more; connections are as far apart
_SLICE_MS = const(20)  # of poll(), while a reply is waited for


class Requests:
    """What shadow and thing begin with: CODE is the field that is 0 where all is well.

    read(ms) asks the cloud for all that it has; _got(value) takes each message.
    """

    CODE = ""

    def __init__(self, session):
        self.session = session
        # Another one on each boot: a late reply of the boot before is not ours.
        self._first = hexlify(port.random_bytes(3)).decode() + "-"
        self._number = 0
        self._token = self._reply = None  # what is waited for
        self._since = None  # the connection on which all was read
        self._asked = None  # ticks_ms of the last time that it was asked for

    def sync(self):
        """Reads once on each connection what was missed, and asks again where no reply comes.

        Waits for nothing, and is cheap on a connection where all is read.
        """
        if self.session.connected and self.session.since != self._since:
            now = port.ticks_ms()
            if self._asked is None or not 0 <= port.ticks_diff(now, self._asked) < _AGAIN_MS:
                self._asked = now
                try:
                    self.read(0)  # pyright: ignore (the service's own, as _got())
                except NetworkError:  # which poll() heals
                    pass

    def _ask(self, topic, message, ms):
        """Sends message (dict) with a token; its reply (dict), or None at once where ms is 0.

        Then a refusal is logged. NetworkError: not sent, or "network.timeout": no reply within ms;
        ProtocolError "service.refused"; ConfigError: ms within a callback.
        """
        session = self.session
        if ms and session.inbox and session.inbox[0] is None:
            raise ConfigError("argument", "a callback cannot wait for a reply: give ms=0")
        self._number += 1
        token = message["clientToken"] = self._first + str(self._number)
        session.publish(topic, json.dumps(message))
        if not ms:
            return None
        self._token, self._reply = token, None
        end = port.ticks_add(port.ticks_ms(), ms)
        while self._reply is None:
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError("network.timeout", "no reply within %d ms" % ms)
            session.poll(min(left, _SLICE_MS))
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply

    def _replied(self, reply):
        """Takes a reply; whether it is a good one to a request of ours."""
        token, code = reply.get("clientToken"), reply.get(self.CODE)
        if not isinstance(token, str) or not token.startswith(self._first):
            return False
        error = None
        if code != 0:
            words = reply.get("status", "")
            error = ProtocolError("service.refused", "refused: %s %s" % (code, words), False)
            error.cloud_code, error.cloud_message = str(code), words
        if token == self._token:
            self._token, self._reply = None, error or reply
        elif error:
            log.warning("%s: %s" % (token, error))
        return not error

    def _arrived(self, topic, message):
        self._got(as_dict(json.loads(message)))  # pyright: ignore


def as_dict(value):
    """The value, a JSON object; ProtocolError, which ends no more than its callback."""
    if not isinstance(value, dict):
        raise ProtocolError("service.reply", "no JSON object: %r" % (value,))
    return value
