"""Requests that the broker acknowledges: SUBSCRIBE, UNSUBSCRIBE, PUBLISH with QoS 1."""

from micropython import const

from .. import log, port
from ..errors import NetworkError
from .encode import packet, subscribe_packet

_DUP = const(8)
_SLICE_MS = const(10000)  # of poll(), while the connection is down


def subscribe(session, topic, qos):
    """Asks for a whole topic or filter. LoginError where it is not granted; NetworkError."""
    pid = session.next_pid()
    session.send(subscribe_packet(pid, topic, qos))
    session.wait_suback(pid, topic)


def unsubscribe(session, topic):
    """Ends what subscribe() began. NetworkError."""
    pid = session.next_pid()
    session.send(packet(0xA2, pid.to_bytes(2, "big"), topic))
    session.wait_ack(pid, "UNSUBACK")


def publish(session, topic, message, ms):
    """Sends with QoS 1, again and again with one packet id, until the PUBACK comes.

    After a lost connection it goes out marked as a duplicate. NetworkError
    "network.unacknowledged" where no PUBACK came within ms milliseconds, and whatever ends the
    session for good (LoginError, CertificateError).
    """
    if not session.link or session.link.busy:
        session.send()  # raises
    end = port.ticks_add(port.ticks_ms(), ms)
    pid = session.next_pid()
    head = 0x32
    while True:
        link = session.link
        try:
            session.acks[pid] = None
            first = packet(head, topic, pid.to_bytes(2, "big"), size=len(message))
            head |= _DUP
            session.send(first, message)
            session.wait_ack(pid, "PUBACK")
            return
        except NetworkError as error:
            fault = error
            if session.link and session.link is link:
                session.lost(error)
        while not session.connected:
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError(
                    "network.unacknowledged", "%s: no PUBACK within %d s" % (fault, ms // 1000)
                )
            session.poll(min(left, _SLICE_MS))
        log.info("publish: packet %d once more" % pid)
