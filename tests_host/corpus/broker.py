"""A Session on a broker that is a Peer: what the session tests begin with."""

import canaries
import fakes
import packets
from dynreg.connect import connection
from dynreg.device import DeviceInfo
from dynreg.mqtt.session import Session

TOPIC = "ABCDEFGHIJ/dev-01/"
ASK = "$sys/operation/ABCDEFGHIJ/dev-01"
RESULT = "$sys/operation/result/ABCDEFGHIJ/dev-01"
REQUEST = b'{"type":"get","resource":["time"]}'


class Bench:
    """session, not connected yet; clock; net; log (lines); peer: the newest of the network."""

    def __init__(self, *peers, url=None, keepalive=60):
        self.clock = fakes.Clock()
        self.log = fakes.log_lines()
        self.net = fakes.network(self.clock, *peers)
        self.peer = peers[0]
        info = DeviceInfo(fakes.device_info(endpoint={"mqtt": url}))
        info.credential = canaries.DEVICE_SECRET
        history = {"day": 0, "psk": 0, "early": 0, "changed": False, "refusals": 0}
        self.session = Session(
            info, keepalive, history, lambda: connection.login(info, keepalive, history)
        )

    def words(self):
        """All that was logged, as one text."""
        return "\n".join(text for _, text in self.log)


def connected(latency=0, keepalive=60, peer=None):
    """A Bench whose session is logged in; its peer's record and answers are empty."""
    peer = peer or fakes.Peer(packets.CONNACK, latency=latency)
    bench = Bench(peer, keepalive=keepalive)
    bench.session.connect()
    del bench.peer.segments[:]
    del bench.log[:]
    return bench


def subscribed(callback, qos=0, name="control"):
    """A Bench whose session has one subscription, with packet id 1."""
    bench = connected()
    bench.peer.expect(packets.suback(1, qos))
    bench.session.subscribe(name, callback, qos)
    del bench.peer.segments[:]
    return bench
