"""One MQTT session after its login: what it makes of each packet, without I/O.

Source: protocol section 4 (limits) and MQTT 3.1.1, chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from .. import rules
from ..store import Device
from . import framing, packets
from .framing import Malformed
from .state import SessionState

REFUSED = 0x80  # SUBACK return code


class Router(Protocol):
    """What a session asks of the broker: where messages go."""

    def subscribe(self, client_id: str, topic_filter: str, /) -> None:
        """From now on messages under this filter come to the client."""
        ...

    def unsubscribe(self, client_id: str, topic_filter: str, /) -> None:
        """And no more."""
        ...

    def received(self, session: Session, publish: packets.Publish, /) -> None:
        """Route a device's message."""
        ...


class Ended(Exception):
    """The connection is over; the message is the reason as the disconnect event gives it."""


class Session:
    """The session of `device` on one connection; `report` reports an event of that."""

    def __init__(
        self, router: Router, device: Device, report: Callable[..., None], state: SessionState
    ) -> None:
        self.device = device
        self.client_id = device.product_id + device.name
        self.report = report
        self.state = state
        self._router = router

    def handle(self, packet: packets.Packet) -> Iterator[bytes]:
        """The frames to send for a packet; each is to be sent before the next is asked for.

        Ended at a DISCONNECT, Malformed at what breaks the standard or the cloud's limits.
        """
        match packet:
            case packets.Publish():
                yield from self._publish(packet)
            case packets.Subscribe():
                yield from self._subscribe(packet)
            case packets.Unsubscribe():
                yield from self._unsubscribe(packet)
            case packets.Puback():
                self.state.acknowledged(packet.packet_id)
            case packets.Pingreq():
                yield framing.pingresp()
            case packets.Disconnect():
                raise Ended("client")
            case _:
                raise Malformed("a second CONNECT")

    def _publish(self, packet: packets.Publish) -> Iterator[bytes]:
        if packet.qos > 1:
            raise Malformed("QoS 2 is not supported")
        if packet.retain:
            raise Malformed("retain is not supported")
        if len(packet.payload) > rules.MAX_PAYLOAD:
            raise Malformed(f"payload over {rules.MAX_PAYLOAD} bytes")
        if fault := rules.topic_fault(packet.topic):
            raise Malformed(fault)
        if not rules.may_publish(self.device.product_id, self.device.name, packet.topic):
            raise Malformed(f"publishing to {packet.topic} is not allowed")
        self.report(
            "publish",
            topic=packet.topic,
            qos=packet.qos,
            size=len(packet.payload),
            payload=packet.payload,
        )
        self._router.received(self, packet)
        if packet.qos:  # which says that what is to be kept of it is kept
            yield framing.puback(packet.packet_id)

    def _subscribe(self, packet: packets.Subscribe) -> Iterator[bytes]:
        if len(packet.filters) != 1:
            raise Malformed("more than one filter in a SUBSCRIBE")
        topic_filter, qos = packet.filters[0]
        if fault := rules.topic_fault(topic_filter):
            raise Malformed(fault)
        allowed = rules.may_subscribe(self.device.product_id, self.device.name, topic_filter)
        granted = qos if allowed and qos <= 1 else REFUSED
        if granted != REFUSED:
            self.state.grant(topic_filter, granted)
            self._router.subscribe(self.client_id, topic_filter)
        yield framing.suback(packet.packet_id, granted)
        self.report("subscribe", topic=topic_filter, qos=qos, granted=granted)

    def _unsubscribe(self, packet: packets.Unsubscribe) -> Iterator[bytes]:
        for topic_filter in packet.filters:
            if self.state.revoke(topic_filter):
                self._router.unsubscribe(self.client_id, topic_filter)
            self.report("unsubscribe", topic=topic_filter)
        yield framing.unsuback(packet.packet_id)
