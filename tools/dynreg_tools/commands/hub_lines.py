"""The hub's events as lines for a person; what devices send never reaches the terminal raw."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console as Rich
from rich.text import Text

from ..printable import clean

_COLOURS = {
    "registered": "green",
    "login": "green",
    "enabled": "green",
    "publish": "cyan",
    "delivered": "magenta",
    "refused": "yellow",
    "login_refused": "yellow",
    "http_bad": "yellow",
    "tls_failed": "yellow",
    "fault": "yellow",
    "disabled": "yellow",
    "deleted": "yellow",
    "dropped": "red",
    "internal_error": "bold red",
}
_WIDTH = 14  # of an event's name
_PAYLOAD = 160  # characters shown of a message
_FIRST = ("device_name", "topic")  # values that need no name
_LEFT_OUT = ("event", "at", "payload", "request_id", "conn", "client_id", "product_id", *_FIRST)
_ROWS = (
    ("page", "workbench"),
    ("gateway", "https"),
    ("", "http"),
    ("broker", "mqtts"),
    ("", "mqtt"),
    ("time", "ntp"),
    ("names", "dns"),
    ("CA", "ca_der"),
    ("secret", "product_secret"),
)


class Lines:
    """Makes lines; their colours are standard output's, NO_COLOR takes them away."""

    def __init__(self, product_id: str = "") -> None:
        self._product_id = product_id
        self._rich = Rich(highlight=False, soft_wrap=True)

    def event(self, event: dict[str, Any]) -> str:
        """One line: the time (UTC), the event, what it is about, what else there is to know."""
        name = str(event.get("event"))
        text = Text().append(f"{str(event.get('at', ''))[11:19]:8}  ", "dim")
        text.append(f"{clean(name):{_WIDTH}}", _COLOURS.get(name, ""))
        client = str(event.get("client_id") or "").removeprefix(self._product_id)
        for value in (client, *(event.get(key) for key in _FIRST)):
            if value:
                text.append(f" {_value(value)}")
        for key, value in event.items():
            if key not in _LEFT_OUT:
                text.append(f"  {clean(key)} ", "dim").append(_value(value))
        if "payload" in event:
            text.append("  ").append(payload(event["payload"]), "bold")
        return self._line(text)

    def ready(self, line: dict[str, Any]) -> str:
        """The first lines: the product, and where all of it is."""
        self._product_id = line["product_id"]
        psk = ", TLS-PSK" if line["psk"] else ""
        text = Text().append("product  ", "dim").append(line["product_id"], "bold")
        text.append(f" ({line['auth_mode']}{psk})")
        for title, key in _ROWS:
            if key in line:
                text.append(f"\n{title:9}", "dim")
                text.append(line[key], "bold" if key == "workbench" else "")
        return self._line(text.append("\nCtrl-C ends it; every event is a line:", "dim"))

    def _line(self, text: Text) -> str:
        with self._rich.capture() as capture:
            self._rich.print(text, end="")
        return capture.get()


def payload(shown: dict[str, str]) -> str:
    """What a message holds on one line: JSON compact, other text, or hex; cut where it is long."""
    text = shown.get("text")
    if text is None:
        text = "hex " + shown.get("hex", "")
    else:
        try:
            text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
        except (ValueError, RecursionError):
            text = json.dumps(text, ensure_ascii=False)
    over = len(text) - _PAYLOAD
    return clean(text[:_PAYLOAD]) + (f"… ({over} more)" if over > 0 else "")


def _value(value: Any) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value))
