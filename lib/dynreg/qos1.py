"""PUBLISH with QoS 1: again and again, with one packet id, until it is acknowledged."""

from . import log, mqtt, port
from .errors import NetworkError
from .packets import ANSWER_MS

_DUP = 8


def publish(session, topic, message, ms):
    """Sends and waits for the PUBACK; after a lost connection sends again, marked as a duplicate.

    NetworkError "network.unacknowledged" where none came within ms milliseconds, and whatever
    ends the session for good (LoginError, CertificateError).
    """
    if not session.connected:
        session.send()  # raises
    end = port.ticks_add(port.ticks_ms(), ms)
    pid = session.next_pid()
    head = 0x32
    while True:
        try:
            session.acks[pid] = None
            session.link.write(mqtt.packet(head, topic, pid.to_bytes(2, "big"), more=len(message)))
            head |= _DUP
            session.send(message)
            session.wait_ack(pid, "PUBACK")
            return
        except NetworkError as error:
            fault = error
            if session.connected:
                session.lost(error)
        while not session.connected:
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError(
                    "network.unacknowledged", "%s: no PUBACK within %d s" % (fault, ms // 1000)
                )
            session.poll(min(left, ANSWER_MS))
        log.info("publish: packet %d once more" % pid)
