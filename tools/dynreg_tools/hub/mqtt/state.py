"""The state of one MQTT session: subscriptions, and QoS 1 messages until they are acknowledged.

It outlives its connections when it is persistent; then all of it is in the store as well, before a
byte of it goes out. Source: protocol section 4a, and MQTT 3.1.1, 3.1.2.4 and 4.4.
"""

from collections import deque
from collections.abc import Callable

from .. import rules
from ..database import StoreError
from ..later import later
from ..sessions import Sessions
from . import framing

_IDS = 65535
Send = Callable[[bytes], None]


class SessionState:
    """`table` keeps a persistent one, which begins with what is in there; else it is None.

    `report` reports an event about this client.
    """

    def __init__(
        self,
        client_id: str,
        report: Callable[..., None],
        table: Sessions | None = None,
        granted: dict[str, int] | None = None,
    ) -> None:
        self.client_id = client_id
        self.granted = granted or {}
        self._report = report
        self._table = table
        self._ids = set(table.waiting(client_id) if table else ())
        self._last_id = 0
        self._send: Send | None = None
        self._backlog: deque[int] = deque()  # packet ids, from a reconnect until all are sent
        self._paced = 0  # how many of them are not to follow at once

    @property
    def persistent(self) -> bool:
        """Whether it goes on after its connection."""
        return self._table is not None

    def attach(self, send: Send, interval: float) -> None:
        """A connection is there: send what waits, one message every `interval` seconds."""
        self._send = send
        if self._table:
            self._drop_old(self._table)
            self._backlog = deque(self._table.waiting(self.client_id))
            self._paced = len(self._backlog)
            self._send_backlog(self._table, send, interval)

    def detach(self) -> None:
        """The connection has ended."""
        self._send = None
        self._backlog.clear()

    def grant(self, topic_filter: str, qos: int) -> None:
        """Subscribe."""
        if self._table:
            self._table.subscribe(self.client_id, topic_filter, qos)
        self.granted[topic_filter] = qos

    def revoke(self, topic_filter: str) -> bool:
        """Unsubscribe; False when it was not subscribed."""
        if topic_filter in self.granted and self._table:
            self._table.unsubscribe(self.client_id, topic_filter)
        return self.granted.pop(topic_filter, None) is not None

    def deliver(self, topic: str, payload: bytes, qos: int, *, told: bool = True) -> bool:
        """Send a message, at the lower of its QoS and the granted one, or keep it for later.

        False when it goes nowhere: not subscribed to, or dropped. `told` false reports no event of
        one that is sent at once.
        """
        granted = [self.granted[one] for one in rules.filters_over(topic) if one in self.granted]
        if not granted:
            return False
        if min(qos, max(granted)):
            return self._deliver_acknowledged(topic, payload)
        if self._send is None:
            self._undelivered(topic, "QoS 0, and the device is offline")
            return False
        self._send(framing.publish(topic, payload))
        if told:
            self._report_message("delivered", topic, payload, 0)
        return True

    def acknowledged(self, packet_id: int) -> None:
        """The client has a message."""
        known = packet_id in self._ids
        if known and (not self._table or self._table.acknowledge(self.client_id, packet_id)):
            self._free(packet_id)

    def _deliver_acknowledged(self, topic: str, payload: bytes) -> bool:
        if self._table and len(self._ids) >= rules.MAX_STORED:
            self._drop_old(self._table)
        if len(self._ids) >= (rules.MAX_STORED if self._table else _IDS):
            self._undelivered(topic, f"{len(self._ids)} messages wait already")
            return False
        packet_id = self._new_id()
        send = None if self._backlog else self._send  # behind what waits, for the order's sake
        if self._table:
            self._table.add(self.client_id, packet_id, topic, payload, sent=send is not None)
        self._ids.add(packet_id)
        if send:
            send(framing.publish(topic, payload, 1, packet_id))
        elif self._backlog:
            self._backlog.append(packet_id)
        self._report_message("delivered" if send else "kept", topic, payload, 1)
        return True

    def _new_id(self) -> int:
        """The next packet id that no message has; there is one, as many as may wait."""
        while True:
            self._last_id = self._last_id % _IDS + 1
            if self._last_id not in self._ids:
                return self._last_id

    def _free(self, packet_id: int) -> None:
        self._ids.remove(packet_id)
        if packet_id in self._backlog:  # sent on an earlier connection
            self._backlog.remove(packet_id)
            self._paced -= 1

    def _send_backlog(self, table: Sessions, send: Send, interval: float) -> None:
        """Send what has waited, and at once behind it what has come meanwhile."""
        while self._send is send and self._backlog:
            packet_id = self._backlog[0]
            topic, payload, dup = table.send(self.client_id, packet_id)
            self._backlog.popleft()
            send(framing.publish(topic, payload, 1, packet_id, dup))
            self._report_message("delivered", topic, payload, 1)
            self._paced -= 1
            if interval and self._paced > 0:
                later(interval, self._go_on, table, send, interval)
                return

    def _go_on(self, table: Sessions, send: Send, interval: float) -> None:
        try:
            self._send_backlog(table, send, interval)
        except StoreError:  # its disk is full now
            later(interval, self._go_on, table, send, interval)

    def _drop_old(self, table: Sessions) -> None:
        for packet_id, topic in table.older(self.client_id, rules.STORED_SECONDS):
            table.remove(self.client_id, packet_id)
            self._free(packet_id)
            self._undelivered(topic, f"{rules.STORED_SECONDS // 3600} hours old")

    def _report_message(self, event: str, topic: str, payload: bytes, qos: int) -> None:
        self._report(event, topic=topic, qos=qos, size=len(payload), payload=payload)

    def _undelivered(self, topic: str, reason: str) -> None:
        self._report("undelivered", topic=topic, reason=reason)
