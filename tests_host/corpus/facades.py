"""A QcloudHub on a broker that is a Peer: what the tests of lib/hub begin with."""

import canaries
import fakes
import packets
from dynreg import log
from hub import hub as facade
from hub.hub import QcloudHub

OWNER = fakes.PRODUCT + "/" + fakes.NAME
CONTROL = OWNER + "/control"


class Threads:
    """Stands in for _thread: what is started runs when the test says so, in the test's own."""

    def __init__(self, fault=None):
        self.started = []
        self.fault = fault

    def allocate_lock(self):
        return fakes.Namespace(acquire=lambda: None, release=lambda: None)

    def stack_size(self, size=0):
        return 0

    def start_new_thread(self, function, values):
        if self.fault:
            raise self.fault
        self.started.append((function, values))

    def run(self):
        """Runs the thread that was started last, to its end."""
        function, values = self.started[-1]
        function(*values)


class Facade:
    """hub: a QcloudHub; peer, net, clock, log; heard: what the callbacks got; threads."""

    def __init__(self, *peers, threads=None, file=None, wifi=None, stored=True, **options):
        self.clock = fakes.Clock()
        self.net = fakes.network(self.clock, *peers)
        self.peer = peers[0] if peers else None
        self.log = fakes.log_lines()
        fakes.module("network", None)
        fakes.replace(log, "line", log.line)  # logInit() puts its own in
        fakes.replace(facade, "_thread", threads)
        self.threads = threads
        secret = {"deviceSecret": canaries.DEVICE_SECRET}
        changes = {"wifi": wifi, "key_deviceinfo": secret} if stored else {"wifi": wifi}
        self.path = file or fakes.device_info(endpoint={"mqtt": "mqtt://hub.local"}, **changes)
        self.hub = QcloudHub(self.path, userdata="user", **options)
        self.heard = []
        self.hub.registerMqttCallback(*(self._note(name) for name in facade_callbacks()))

    def _note(self, name):
        def callback(*values):
            self.heard.append((name,) + values)  # noqa: RUF005 (not in MicroPython)

        return callback

    def words(self):
        return "\n".join(text for _, text in self.log)

    def connected(self):
        """Logged in, with a subscription; self."""
        assert self.hub.connect() == 0
        assert self.hub.isMqttConnected() is True
        self.peer.expect(packets.suback(1))
        assert self.hub.subscribe(CONTROL, 0)[0] == 0
        self.hub.isMqttConnected()  # where there is no thread, callbacks come within this
        del self.heard[:]
        return self

    def say(self, message, topic=CONTROL):
        self.peer.say(packets.publish(topic, message))
        return self.hub.isMqttConnected()

    def pass_(self, ms):
        self.clock.passed += ms


def facade_callbacks():
    return ("connect", "disconnect", "message", "publish", "subscribe", "unsubscribe")


def connected(**options):
    return Facade(fakes.Peer(packets.CONNACK), **options).connected()
