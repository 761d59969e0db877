"""PUBLISH, SUBSCRIBE, UNSUBSCRIBE: arguments checked before, acknowledgements waited for."""

from micropython import const

from .. import log, port
from ..errors import ConfigError, DynregError, LoginError, NetworkError
from .encode import packet, subscribe_packet

_LARGEST = const(16384)  # bytes of one message (docs/protocol.md, 4)
_DUP = const(8)
_SLICE_MS = const(10000)  # of poll(), while the connection is down


def publish(session, name, message, qos, ms, wait):
    """Session.publish(): with QoS 1 again and again with one packet id, until the PUBACK comes.

    After a lost connection it goes out marked as a duplicate.
    """
    topic = _topic(session, name, qos)
    if isinstance(message, str):
        message = message.encode()
    if not isinstance(message, (bytes, bytearray, memoryview)) or len(message) > _LARGEST:
        raise ConfigError("argument", "a message is str or bytes, 16384 bytes at most")
    if not (session.link or wait):
        session.send()  # raises
    end = port.ticks_add(port.ticks_ms(), ms)
    head, pid, mark = 0x30, 0, b""
    if qos:
        pid = session.next_pid()
        head, mark = 0x32, pid.to_bytes(2, "big")
    while True:
        try:
            first = packet(head, topic, mark, size=len(message))
            if qos:
                session.acks[pid] = None
                head |= _DUP
            session.send(first, message)
            if qos:
                session.wait_ack(pid, "PUBACK")
            return
        except NetworkError as error:
            if not (qos or wait):
                raise
            fault = error
            if session.link:
                port.step("connect.backoff", "lost", session, error)
        while not session.connected:
            left = _SLICE_MS if wait else port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError(
                    "network.unacknowledged", "%s: no PUBACK within %d s" % (fault, ms // 1000)
                )
            session.poll(min(left, _SLICE_MS))
        log.info("publish: once more")


def subscribe(session, name, callback, qos):
    """Session.subscribe()."""
    topic = _topic(session, name, qos, True)
    _ask(session, topic, qos)
    session.callbacks[topic] = callback, qos


def unsubscribe(session, name):
    """Session.unsubscribe()."""
    topic = _topic(session, name, 0, True)
    pid = session.next_pid()
    session.send(packet(0xA2, pid.to_bytes(2, "big"), topic))
    session.wait_ack(pid, "UNSUBACK")
    session.callbacks.pop(topic, None)


def restore(session, topics):
    """Subscribes to them again; one that is refused must not keep the others from it.

    NetworkError: the connection is closed then.
    """
    refused = []
    for topic in topics:
        if topic in session.callbacks:
            try:
                _ask(session, topic, session.granted(topic))
            except LoginError as error:
                log.error("%s [%s]; again in 15 min" % (error, error.code))
                refused.append(topic)
            except DynregError:
                session.close()
                raise
    session.refused = refused
    session.asked = port.ticks_ms()


def _ask(session, topic, qos):
    pid = session.next_pid()
    session.send(subscribe_packet(pid, topic, qos))
    session.wait_suback(pid, topic)


def _topic(session, name, qos, wild=False):
    """The topic that name stands for; wild: it may be a filter (MQTT 3.1.1, 4.7). ConfigError."""
    try:
        if not isinstance(name, str):
            name = bytes.decode(name)
        wrong = qos not in (0, 1) or name[:1] in ("", "/") or "\0" in name or "#" in name[:-1]
        for level in name.split("/"):
            if "+" in level or "#" in level:
                wrong = wrong or not wild or len(level) > 1
        if "/" not in name and "$" not in name:
            name = session.info.owner + "/" + name
        if not wrong and len(name.encode()) < 256:
            return name
    except (TypeError, ValueError):
        pass
    raise ConfigError(
        "argument",
        "a topic is UTF-8 of 255 bytes at most, no / first, no NUL, + and # as levels of a filter "
        "only; QoS is 0 or 1",
    )
