def unix_time() -> int:
    """Unix seconds, or 0 where the clock is not set (docs/protocol.md, 2: then 0 is signed)."""

def unix_ms() -> int:
    """The real-time clock as Unix milliseconds, whatever the platform's epoch; set or not."""

def utc(value: int) -> str:
    """Unix milliseconds as "2021-07-15 15:00:18", UTC; the number where the calendar ends."""

def unique_id() -> bytes:
    """The chip's id, bytes: on an ESP32 the 6 bytes of its MAC. Empty where there is none."""

def pause(ms: int) -> None:
    """Sleeps, with idle() called in between: a watchdog must not starve on a back-off."""
