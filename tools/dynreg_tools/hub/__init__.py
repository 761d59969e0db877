"""A local stand-in for Tencent Cloud IoT Hub, for development and tests.

Written from docs/protocol.md alone and sharing no code with lib/, so that a mistake on one side
is caught by the other. Start it with `./dev hub`, or inside a test:

    with Hub(cert_key="ec") as hub:
        print(hub.https, hub.mqtts, hub.ca_der)
"""

from typing import TYPE_CHECKING, Any

from .events import EVENTS, Packet

if TYPE_CHECKING:
    from .hub import Hub
    from .rules import HubError

__all__ = ["EVENTS", "Hub", "HubError", "Packet"]


def __getattr__(name: str) -> Any:
    """Loaded when asked for: the commands that ask a running hub need none of its packages."""
    if name == "Hub":
        from .hub import Hub

        return Hub
    if name == "HubError":
        from .rules import HubError

        return HubError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
