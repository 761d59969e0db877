"""How long the hub waits, what it takes for too soon or too late, and how strict it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds but what ends in _ms, and `strict`.

    `time_window` is how far a registration's timestamp may be off, `connect_interval` the least
    time between two logins of a device (0: no limit), `connect_timeout` and `idle_timeout` how
    long a CONNECT and a whole HTTP request may take to arrive, `stored_interval` the time between
    two messages that a persistent session has kept for a device. `strict` refuses what the cloud
    takes and this project's library never sends (protocol section 7a). The cloud takes its time:
    `login_ms` from a CONNECT to its CONNACK, `reply_ms` from a registration, which counts at
    once, to its reply.
    """

    time_window: float = 300.0
    connect_interval: float = 0
    connect_timeout: float = 10.0
    idle_timeout: float = 15.0
    stored_interval: float = 0.5
    strict: bool = False
    login_ms: int = 0
    reply_ms: int = 0
