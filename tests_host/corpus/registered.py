"""A registered board before brokers that are Peers: what the tests of connecting begin with."""

import canaries
import fakes
import packets
from broker import ASK, REQUEST, RESULT
from dynreg import Device
from dynreg.connect import tls, trust

NOW = fakes.NOW * 1000
EARLY_ID = 65535
EARLY = packets.subscribe(EARLY_ID, RESULT) + packets.publish(ASK, REQUEST)
ASKED = packets.subscribe(1, RESULT) + packets.publish(ASK, REQUEST)  # after the CONNACK
TIME = packets.publish(
    RESULT, b'{"type":"get","time":%d,"ntptime1":%d,"ntptime2":%d}' % (fakes.NOW, NOW, NOW)
)
GOOD = packets.CONNACK + packets.suback(EARLY_ID) + TIME


class Board:
    """A registered board before peers. handshakes: what each presented, "psk" or "certificate";
    faults: what each does instead of succeeding, an exception or None.
    """

    def __init__(self, *peers, unix=NOW, psk=True, clock=fakes.Clock, **changes):
        self.clock = clock(unix)
        self.net = fakes.network(self.clock, *peers)
        self.log = fakes.log_lines()
        self.handshakes = []
        self.faults = []
        fakes.module("network", None)
        fakes.module("esp32", None)
        fakes.module("ntptime", None)
        if psk:
            fakes.replace(tls, "psk_context", lambda *pair: ("psk", pair))
        fakes.replace(trust, "context", lambda *certificates: ("certificate", None))
        fakes.replace(tls, "handshake", self._handshake)
        fakes.random(b"\xff")
        secret = {"deviceSecret": canaries.DEVICE_SECRET}
        changes.setdefault("early", None)
        self.path = fakes.device_info(key_deviceinfo=secret, **changes)

    def _handshake(self, wire, host, context):
        kind, self.pair = context
        self.handshakes.append(kind)
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault
        return wire

    def words(self):
        return "\n".join(text for _, text in self.log)

    def boot(self):
        """A Device as after a reset."""
        self.device = Device(self.path)
        return self.device
