"""A local stand-in for Tencent Cloud IoT Hub, for development and tests.

Written from docs/protocol.md alone and sharing no code with lib/, so that a mistake on one side
is caught by the other. Start it with `./dev hub`, or inside a test:

    with Hub(cert_key="ec") as hub:
        print(hub.https, hub.mqtts, hub.ca_der)
"""

from .events import EVENTS, Packet
from .hub import Hub
from .rules import HubError

__all__ = ["EVENTS", "Hub", "HubError", "Packet"]
