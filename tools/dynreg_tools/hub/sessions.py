"""Persistent MQTT sessions in hub.db: their subscriptions, and messages until acknowledged.

Each call is one transaction, which a kill of the process cannot take back when it has returned.
Source: protocol section 4a.
"""

import sqlite3
import time
from collections.abc import Callable

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    client_id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    FOREIGN KEY (product_id, name) REFERENCES devices (product_id, name) ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS subscriptions (
    client_id TEXT NOT NULL REFERENCES sessions (client_id) ON DELETE CASCADE,
    filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    PRIMARY KEY (client_id, filter)
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES sessions (client_id) ON DELETE CASCADE,
    packet_id INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    stored REAL NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (client_id, packet_id)
);
"""
_ONE = "WHERE client_id = ? AND packet_id = ?"


class Sessions:
    """The tables; `execute` is the store's, `now` gives Unix seconds."""

    def __init__(
        self, execute: Callable[..., sqlite3.Cursor], now: Callable[[], float] = time.time
    ) -> None:
        self.now = now
        self._execute = execute

    def open(self, client_id: str, product_id: str, name: str) -> None:
        """Begin the session of a device, which ends with the device at the latest."""
        self._execute("INSERT INTO sessions VALUES (?, ?, ?)", (client_id, product_id, name))

    def end(self, client_id: str) -> None:
        """Forget a session with all that is in it."""
        self._execute("DELETE FROM sessions WHERE client_id = ?", (client_id,))

    def all(self) -> dict[str, dict[str, int]]:
        """The sessions there are: client id -> filter -> granted QoS."""
        found: dict[str, dict[str, int]] = {
            client_id: {} for (client_id,) in self._execute("SELECT client_id FROM sessions")
        }
        rows = self._execute("SELECT client_id, filter, qos FROM subscriptions ORDER BY rowid")
        for client_id, topic_filter, qos in rows:
            found[client_id][topic_filter] = qos
        return found

    def subscribe(self, client_id: str, topic_filter: str, qos: int) -> None:
        """Note a subscription, in the place of one with the same filter."""
        self._execute(
            "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (client_id, topic_filter, qos)
        )

    def unsubscribe(self, client_id: str, topic_filter: str) -> None:
        """And no more."""
        self._execute(
            "DELETE FROM subscriptions WHERE client_id = ? AND filter = ?",
            (client_id, topic_filter),
        )

    def add(
        self, client_id: str, packet_id: int, topic: str, payload: bytes, *, sent: bool
    ) -> None:
        """Keep a message; `sent` says that it goes out right now."""
        self._execute(
            "INSERT INTO messages (client_id, packet_id, sent, stored, topic, payload)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (client_id, packet_id, sent, self.now(), topic, payload),
        )

    def waiting(self, client_id: str) -> list[int]:
        """The packet ids of all messages, in the order in which they are to be sent."""
        rows = self._execute(
            "SELECT packet_id FROM messages WHERE client_id = ? ORDER BY number", (client_id,)
        )
        return [packet_id for (packet_id,) in rows]

    def older(self, client_id: str, age: float) -> list[tuple[int, str]]:
        """(packet id, topic) of the messages that were kept for more than `age` seconds."""
        return self._execute(
            "SELECT packet_id, topic FROM messages WHERE client_id = ? AND stored < ?",
            (client_id, self.now() - age),
        ).fetchall()

    def send(self, client_id: str, packet_id: int) -> tuple[str, bytes, bool]:
        """Topic and payload of a message that goes out right now, and whether it did before."""
        one = (client_id, packet_id)
        row = self._execute(f"SELECT topic, payload, sent FROM messages {_ONE}", one)
        topic, payload, sent = row.fetchone()
        if not sent:
            self._execute(f"UPDATE messages SET sent = 1 {_ONE}", one)
        return topic, payload, bool(sent)

    def remove(self, client_id: str, packet_id: int) -> None:
        """Forget a message."""
        self._execute(f"DELETE FROM messages {_ONE}", (client_id, packet_id))

    def acknowledge(self, client_id: str, packet_id: int) -> bool:
        """Forget a message that the client has; False where it was not sent yet."""
        one = (client_id, packet_id)
        return self._execute(f"DELETE FROM messages {_ONE} AND sent", one).rowcount > 0
