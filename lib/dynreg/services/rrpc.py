"""Calls from the cloud that want an answer (docs/protocol.md, 7: RRPC).

    from dynreg.services import rrpc

    rrpc.serve(session, lambda call: '{"led":1}')

Several calls may be in flight: each Call knows its own process id.
"""

from micropython import const

from .. import log, port
from ..errors import ConfigError, NetworkError

_SURE_MS = const(4000)  # the cloud waits at least so long,
_LATEST_MS = const(10000)  # and no longer than that


def serve(session, handler):
    """From now on handler(call) runs within session.poll() for each call, after reconnects too.

    What it returns (str, bytes) is the answer. Where it returns None it answers by call.answer(),
    then or later. A second serve() replaces the handler. LoginError where the cloud does not
    grant the topic; NetworkError.
    """

    def arrived(topic, message):
        call = Call(session, topic, message)
        answer = handler(call)
        if answer is not None:
            call.answer(answer)

    session.subscribe("$rrpc/rxd/%s/+" % session.info.owner, arrived)


class Call:
    """One call: message (bytes), id (str), arrived (ticks_ms, when the board read it)."""

    def __init__(self, session, topic, message):
        self.message = message
        self.id = topic[topic.rfind("/") + 1 :]
        self.arrived = port.ticks_ms()
        self._topic = "$rrpc/txd" + topic[9:]
        self._session = session

    def answer(self, message):
        """Sends the answer (str, bytes; 16 KB at most), once.

        NetworkError "service.late", and nothing is sent, where the cloud waits no more: 10 s.
        After 4 s it is sent, with a warning, since the cloud may not wait so long. NetworkError
        where the connection is down: it may be tried again. ConfigError for a second answer.
        """
        if not self._topic:
            raise ConfigError("argument", "call %s has its answer" % self.id)
        took = port.ticks_diff(port.ticks_ms(), self.arrived)
        if not 0 <= took <= _LATEST_MS:
            raise NetworkError(
                "service.late", "call %s: no answer within 10 s, none is sent" % self.id, False
            )
        self._session.publish(self._topic, message)
        self._topic = None
        if took > _SURE_MS:
            log.warning("rrpc: call %s: the answer took %d ms, perhaps too long" % (self.id, took))
