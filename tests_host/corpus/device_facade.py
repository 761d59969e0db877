"""The vendor SDK's names (lib/hub) on a broker that is a Peer."""

import json
import os
import sys

import canaries
import fakes
import packets
import utime
from dynreg import log, port
from dynreg.errors import ConfigError
from hub import hub as facade
from hub.hub import QcloudHub

OWNER = fakes.PRODUCT + "/" + fakes.NAME
CONTROL = OWNER + "/control"
EPOCH = port.EPOCH


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
        del self.heard[:]
        return self

    def say(self, message, topic=CONTROL):
        self.peer.say(packets.publish(topic, message))
        return self.hub.isMqttConnected()

    def pass_(self, ms):
        self.clock.passed += ms


def facade_callbacks():
    return ("connect", "disconnect", "message", "publish", "subscribe", "unsubscribe")


def _connected(**options):
    return Facade(fakes.Peer(packets.CONNACK), **options).connected()


def _sent(peer):
    """(topic, message) of each PUBLISH with QoS 0 that went out."""
    found = []
    for packet in packets.split(peer.sent):
        if packet[0] == 0x30:
            body = packet[2:]
            size = 2 + body[1]
            found.append((body[2:size].decode(), body[size:]))
    return found


# --- device_file --------------------------------------------------------------------------------


def _in_folder(path):
    before = os.getcwd()
    os.chdir(path)
    fakes.at_end(lambda: os.chdir(before))


def test_a_relative_device_file_that_is_not_there_is_the_boards_own():
    path = fakes.device_info(wifi=None)
    fakes.replace(facade, "_FILE", path)
    _in_folder(fakes.folder())
    board = Facade(file="hub/sample/device_info.json")
    assert board.hub.getDeviceName() == fakes.NAME
    assert f"hub/sample/device_info.json: not on this board, {path}" in board.words()


def test_a_relative_device_file_that_is_there_is_taken():
    fakes.replace(facade, "_FILE", "/no/such/device_info.json")
    folder = fakes.folder()
    _in_folder(folder)
    fakes.write(folder + "/own.json", json.dumps(fakes.values(deviceName="other", wifi=None)))
    board = Facade(file="own.json")
    assert board.hub.getDeviceName() == "other"
    assert "not on this board" not in board.words()


def test_a_relative_device_file_under_its_temporary_name_is_taken():
    fakes.replace(facade, "_FILE", "/no/such/device_info.json")
    folder = fakes.folder()
    _in_folder(folder)
    fakes.write(folder + "/own.json.tmp", json.dumps(fakes.values(deviceName="other", wifi=None)))
    assert Facade(file="own.json").hub.getDeviceName() == "other"


def test_an_absolute_device_file_that_is_not_there_is_an_error():
    fakes.replace(facade, "_FILE", fakes.device_info(wifi=None))
    fakes.raises(ConfigError, QcloudHub, "/no/such/device_info.json", code="config")


# --- addresses ----------------------------------------------------------------------------------


def test_dynreg_domain_as_the_vendor_takes_it_and_a_bare_host():
    for domain, address in (
        ("https://gateway.local/device/register", ("gateway.local", 443)),
        ("https://gateway.local/device/register/", ("gateway.local", 443)),
        ("http://gateway.local:8080/device/register", ("gateway.local", 8080)),
        ("https://gateway.local", ("gateway.local", 443)),
        ("gateway.local", ("gateway.local", 443)),
        ("gateway.local:8441", ("gateway.local", 8441)),
    ):
        board = Facade(fakes.Peer(fakes.END), stored=False)
        result, message = board.hub.dynregDevice(dynregDomain=domain)
        assert (result, board.net.lookups) == (-1, [address]), (domain, message)
        fakes.restore()


def test_a_dynreg_domain_that_is_none_is_minus_one_and_a_sentence():
    for domain in (
        "https://gateway.local/other",
        "ftp://gateway.local",
        "https://",
        "gateway.local:port",
        "gateway.local:70000",
        "gateway.local:",
        5,
    ):
        board = Facade(stored=False)
        result, message = board.hub.dynregDevice(10, domain)
        assert result == -1 and "https://host/device/register" in message, domain
        assert not board.net.lookups
        fakes.restore()


def test_no_dynreg_domain_is_that_of_device_info():
    for domain in (None, ""):
        board = Facade(fakes.Peer(fakes.END), stored=False)
        board.hub.dynregDevice(10, domain)
        assert board.net.lookups == [("ap-guangzhou.gateway.tencentdevices.com", 443)]
        fakes.restore()


def test_what_is_no_dynreg_error_is_minus_one_too():
    board = Facade(stored=False)

    def register():
        raise MemoryError

    board.hub._device.register = register
    result, message = board.hub.dynregDevice()
    assert result == -1 and "MemoryError" in message


def test_a_certificate_is_not_given_to_the_program():
    board = Facade()
    board.hub._device.register = lambda: False
    board.hub._device.info.mode = "CERT"
    assert board.hub.dynregDevice() == (0, "success")


def test_mqtt_host_and_port():
    for options, address in (
        ({}, ("hub.local", 1883)),
        ({"tls": False}, ("hub.local", 1883)),
        ({"domain": "other.local"}, ("other.local", 8883)),
        ({"domain": "other.local", "tls": False}, ("other.local", 1883)),
        ({"domain": "mqtts://other.local:18883"}, ("other.local", 18883)),
        ({"domain": ""}, ("hub.local", 1883)),
    ):
        board = Facade(fakes.Peer(packets.CONNACK), **options)
        board.hub.connect()
        assert board.peer.address == address, options
        fakes.restore()


def test_plain_mqtt_keeps_the_port_of_device_info():
    path = fakes.device_info(endpoint={"mqtt": "mqtt://hub.local:11883"}, wifi=None)
    board = Facade(file=path, tls=False)
    assert board.hub._device.info.mqtt.port == 11883


# --- messages -----------------------------------------------------------------------------------


def test_json_text_and_bytes_reach_on_message():
    board = _connected()
    for message, payload in (
        (b'{"n": 1}', {"n": 1}),
        (b"42", 42),
        (b'"text"', "text"),
        (b"plain text", "plain text"),
        (b'{"n": x}', '{"n": x}'),  # before 1.26 json takes one without its end
        (b"", ""),
        (b"\xff\xfe\x00", b"\xff\xfe\x00"),
        (b'{"n": "\xff"}', b'{"n": "\xff"}'),
        (b"\xc3(", b"\xc3("),
    ):
        assert board.say(message) is True, message
        name, topic, got, qos, userdata = board.heard.pop()
        assert (name, topic, qos, userdata) == ("message", CONTROL, 0, "user")
        assert (type(got), got) == (type(payload), payload), message
    assert not board.heard


def test_what_nests_too_deep_is_text():
    board = _connected()
    message = b"[" * 4000 + b"]" * 4000

    def loads(text):
        raise RuntimeError("maximum recursion depth exceeded")

    fakes.replace(facade, "json", fakes.Namespace(loads=loads, dumps=json.dumps))
    assert board.say(message) is True
    assert board.heard[0][2] == message.decode()


def test_json_for_which_there_is_no_memory_is_text():
    board = _connected()

    def loads(text):
        raise MemoryError

    fakes.replace(facade, "json", fakes.Namespace(loads=loads, dumps=json.dumps))
    assert board.say(b'{"n": 1}') is True
    assert board.heard[0][2] == '{"n": 1}'


def test_a_topics_own_callback_comes_in_place_of_on_message():
    board = _connected()
    got = []
    board.hub.registerUserCallback(CONTROL, lambda *values: got.append(values))
    assert board.say(b"\x80") is True
    assert got == [(CONTROL, 0, b"\x80", "user")] and not board.heard


def test_a_callback_that_raises_is_a_line_and_no_more():
    for fault in (ValueError("mine"), MemoryError(), OSError(5)):
        board = _connected()

        def own(*values, fault=fault):
            raise fault

        board.hub.registerUserCallback(CONTROL, own)
        assert board.say(b"1") is True
        assert "on_message: " + repr(fault) in board.words()
        fakes.restore()


def test_payloads_that_go_out():
    board = _connected()
    for payload, message in (
        ({"n": 1}, b'{"n": 1}'),
        ([1, None, True], b"[1, null, true]"),
        ("text", b'"text"'),
        (5, b"5"),
        (b"\xff\x00", b"\xff\x00"),
        (bytearray(b"\x01"), b"\x01"),
    ):
        result, mid = board.hub.publish(OWNER + "/event", payload, 0)
        assert result == 0 and isinstance(mid, int)
        assert _sent(board.peer)[-1] == (OWNER + "/event", message), payload
        assert board.heard.pop() == ("publish", mid, "user")


def test_subscribe_takes_a_pair_and_a_list():
    board = _connected()
    board.peer.expect(packets.suback(2, 1))
    result, mid = board.hub.subscribe(("a/b", 1), 0)
    assert result == 0 and board.heard.pop() == ("subscribe", mid, 1, "user")
    board.peer.expect(packets.suback(3, 1), packets.suback(4, 0))
    assert board.hub.subscribe([("a/c", 1), ("a/d", 0)])[0] == 0
    assert packets.subscribe(4, "a/d", 0) in board.peer.segments
    board.peer.expect(packets.unsuback(5), packets.unsuback(6))
    assert board.hub.unsubscribe(["a/c", "a/d"])[0] == 0
    assert packets.unsubscribe(6, "a/d") in board.peer.segments


# --- results ------------------------------------------------------------------------------------


def test_without_a_connection_each_call_is_minus_one():
    board = Facade()
    for call in (
        lambda: board.hub.publish("a/b", "x", 0),
        lambda: board.hub.publish("a/b", "x", 1),
        lambda: board.hub.subscribe("a/b", 0),
        lambda: board.hub.unsubscribe("a/b"),
    ):
        result, mid = call()
        assert result == -1 and isinstance(mid, int)
    assert board.hub.getNtpAccurateTime() == -1
    assert board.hub.isMqttConnected() is False
    board.hub.disconnect()
    assert not board.heard


def test_what_is_refused_is_minus_one():
    board = _connected()
    board.peer.expect(packets.suback(2, 0x80))
    assert board.hub.subscribe("another/device/data", 0)[0] == -1
    assert board.hub.publish("a/b", "x", 2)[0] == -1
    assert board.hub.publish("a/b", b"x" * 16385, 0)[0] == -1
    assert board.hub.isMqttConnected() is True


def test_no_answer_to_the_time_is_minus_one():
    board = _connected()
    assert board.hub.getNtpAccurateTime() == -1


def test_on_disconnect_says_who_ended_it():
    board = _connected()
    board.hub.disconnect()
    assert board.heard == [("disconnect", 0, "user")]
    fakes.restore()
    board = _connected()
    board.peer.say(fakes.END)
    assert board.hub.isMqttConnected() is False
    assert board.heard == [("disconnect", -1, "user")]


# --- the log ------------------------------------------------------------------------------------


def _lines(level, enable=True):
    board = _connected()
    logger = board.hub.logInit(level, "logs/log", 1024, 5, enable=enable)
    fakes.replace(log, "line", lambda name, text: board.log.append((name, text)))
    del board.log[:]
    logger.debug("mine: %d", 1)
    logger.warring("mine: %s", "x")
    board.say(b"secret payload")
    board.hub.publish(OWNER + "/event", "another payload", 0)
    board.hub.publish("a/b", "x", 2)
    fakes.restore()
    assert "payload" not in board.words()
    return board.log


def test_debug_says_more_than_info():
    levels = QcloudHub.LoggerLevel
    debug, info = _lines(levels.DEBUG), _lines(levels.INFO)
    assert ("DEBUG", "mine: 1") in debug
    own = [text for name, text in debug if name == "DEBUG" and "mine" not in text]
    assert [text for text in own if CONTROL in text and "14 bytes" in text]
    assert [text for text in own if OWNER + "/event" in text]
    assert [line for line in debug if line[0] != "DEBUG"] == info
    assert ("WARN", "mine: x") in info


def test_levels():
    levels = QcloudHub.LoggerLevel
    assert [name for name, _ in _lines(levels.WARNING)] == ["WARN", "ERROR"]
    assert [name for name, _ in _lines(levels.ERROR)] == ["ERROR"]
    assert _lines("other") == _lines(levels.INFO)
    assert _lines(levels.DEBUG, enable=False) == []


# --- connecting, and what ends it ---------------------------------------------------------------


def test_a_second_connect_does_not_log_in_again():
    board = _connected()
    assert board.hub.connect() == 1
    assert len(board.net.sockets) == 1 and not board.heard


def test_a_first_login_that_may_pass_is_tried_again():
    board = Facade(fakes.Peer(fault=OSError(111)), fakes.Peer(packets.CONNACK))
    board.hub.connect()
    assert board.hub.isMqttConnected() is False
    assert len(board.net.sockets) == 1, "not before 5 s"
    board.pass_(5001)
    assert board.hub.isMqttConnected() is True
    assert board.heard == [("connect", 0, 0, "user")]


def test_what_does_not_pass_ends_and_starts_again_with_connect():
    board = Facade(fakes.Peer(packets.CONNACK))

    def final(*values):
        raise ConfigError("config", "wrong")

    connect, board.hub._device.connect = board.hub._device.connect, final
    board.hub.connect()
    assert "wrong; connect() starts it again" in board.words()
    board.pass_(3600000)
    assert board.hub.isMqttConnected() is False and not board.net.sockets
    board.hub._device.connect = connect
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True


def test_a_lost_connection_is_made_again_with_its_subscriptions():
    board = _connected()
    second = fakes.Peer(packets.CONNACK, packets.suback(2))
    board.net.add(second)
    board.peer.say(fakes.END)
    assert board.hub.isMqttConnected() is False
    board.pass_(5001)
    assert board.hub.isMqttConnected() is True
    assert [call[0] for call in board.heard] == ["disconnect", "connect"]
    second.say(packets.publish(CONTROL, b"7"))
    board.hub.isMqttConnected()
    assert board.heard[-1] == ("message", CONTROL, 7, 0, "user")


def test_whatever_poll_raises_is_survived_with_a_new_connection():
    for fault in (MemoryError(), OSError(5), KeyError("x"), RuntimeError("x")):
        board = _connected()
        second = fakes.Peer(packets.CONNACK, packets.suback(2))
        board.net.add(second)
        session = board.hub._device.session
        poll = session.poll

        def broken(ms, fault=fault, session=session, poll=poll):
            session.poll = poll
            raise fault

        session.poll = broken
        assert board.hub.isMqttConnected() is False, repr(fault)
        assert board.peer.closed and repr(fault) in board.words()
        board.pass_(60000)
        assert board.hub.isMqttConnected() is True, repr(fault)
        assert [call[0] for call in board.heard] == ["disconnect", "connect"]
        fakes.restore()


def test_no_memory_to_handle_no_memory_is_survived():
    board = _connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    session = board.hub._device.session
    poll, step = session.poll, port.step

    def broken(*values):
        raise MemoryError

    session.poll = broken
    fakes.replace(port, "step", broken)
    assert board.hub.isMqttConnected() is False
    session.poll = poll
    fakes.replace(port, "step", step)
    board.pass_(60000)
    assert board.hub.isMqttConnected() is True


def test_a_fault_within_publish_leaves_no_half_packet():
    board = _connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    session = board.hub._device.session

    def broken(*values):
        raise MemoryError

    session.publish = broken
    assert board.hub.publish("a/b", "x", 0)[0] == -1
    assert board.hub.isMqttConnected() is False and board.peer.closed
    board.pass_(60000)
    assert board.hub.isMqttConnected() is True


def test_disconnect_from_within_a_callback():
    board = _connected()
    board.hub.registerUserCallback(CONTROL, lambda *values: board.hub.disconnect())
    assert board.say(b"1") is False
    assert board.heard == [("disconnect", 0, "user")]
    assert board.peer.segments[-1] == packets.DISCONNECT
    board.pass_(3600000)
    assert board.hub.isMqttConnected() is False and len(board.net.sockets) == 1
    assert not [text for name, text in board.log if name == "ERROR"]


def test_disconnect_from_within_on_connect():
    threads = Threads()
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads)
    board.hub.registerMqttCallback(
        lambda *values: board.hub.disconnect(), None, None, None, None, None
    )
    board.hub.connect()
    threads.run()
    assert board.hub.isMqttConnected() is False
    assert not [text for name, text in board.log if name == "ERROR"]


def test_disconnect_then_connect():
    board = _connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    board.hub.disconnect()
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True
    assert [call[0] for call in board.heard] == ["disconnect", "connect"]


# --- the thread ---------------------------------------------------------------------------------


def _threaded():
    threads = Threads()
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads)
    board.hub.connect()
    return board, threads


def _end_after(board, turns):
    """disconnect() once the thread has slept so often."""
    sleep = port.sleep_ms
    left = [turns]

    def sleep_ms(ms):
        sleep(ms)
        left[0] -= 1
        if not left[0]:
            board.hub.disconnect()
        assert left[0] > -10, "the thread goes on after disconnect()"

    fakes.replace(port, "sleep_ms", sleep_ms)


def test_the_thread_brings_messages_and_ends_with_disconnect():
    board, threads = _threaded()
    board.hub.registerUserCallback(CONTROL, lambda *values: board.heard.append(values))
    board.peer.expect(packets.suback(1))
    board.hub.subscribe(CONTROL, 0)
    board.peer.say(packets.publish(CONTROL, b"7"))
    board.hub.isMqttConnected()
    assert (CONTROL, 0, 7, "user") not in board.heard, "that is the thread's work"
    _end_after(board, 3)
    threads.run()
    assert (CONTROL, 0, 7, "user") in board.heard


def test_one_thread_for_two_connects():
    board, threads = _threaded()
    board.hub.connect()
    assert len(threads.started) == 1


def test_one_thread_for_a_connect_while_the_connection_is_lost():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK))
    board.hub._device.session.close()
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True and len(threads.started) == 1


def test_the_old_thread_ends_after_disconnect_and_connect():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK))
    board.hub.disconnect()
    board.hub.connect()
    assert len(threads.started) == 2
    function, values = threads.started[0]
    function(*values)  # ends at once: no endless loop
    assert board.hub.isMqttConnected() is True


def test_a_thread_that_ends_says_so_and_connect_starts_another():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    board.hub.registerUserCallback(CONTROL, lambda *values: sys.exit(3))
    board.peer.expect(packets.suback(1))
    board.hub.subscribe(CONTROL, 0)
    board.peer.say(packets.publish(CONTROL, b"1"))
    threads.run()
    assert "the thread has ended: SystemExit(3" in board.words()
    assert "connect() starts it again" in board.words()
    assert board.hub.isMqttConnected() is False
    assert board.hub.connect() == 0
    assert len(threads.started) == 2 and board.hub.isMqttConnected() is True


def test_a_thread_that_cannot_start_is_told_and_done_without():
    threads = Threads(OSError("can't create thread"))
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads).connected()
    assert "no thread" in board.words()
    board.say(b"7")
    assert board.heard == [("message", CONTROL, 7, 0, "user")]


def test_no_poll_within_a_callback_without_threads():
    board = _connected()
    depth = []

    def own(*values):
        depth.append(board.hub.isMqttConnected())
        depth.append("out")

    board.hub.registerUserCallback(CONTROL, own)
    board.peer.say(packets.publish(CONTROL, b"1"))
    board.peer.say(packets.publish(CONTROL, b"2"))
    board.hub.isMqttConnected()
    board.hub.isMqttConnected()
    assert depth == [True, "out", True, "out"]


# --- hub.compat ---------------------------------------------------------------------------------


def _compat():
    for name in ("logging", "time", "sys", "hub.compat"):
        before = sys.modules.get(name)
        fakes.at_end(lambda name=name, before=before: _put_back(name, before))
    return __import__("hub.compat", None, None, ("Time",))


def _put_back(name, module):
    sys.modules.pop(name, None)
    if module is not None:
        sys.modules[name] = module


def test_compat_time_counts_unix_seconds():
    compat = _compat()
    fakes.Clock(unix=fakes.NOW * 1000 + 999)
    for epoch in (0, 946684800):  # a desktop's and an ESP32's
        fakes.replace(port, "EPOCH", epoch)
        time = compat.Time(_native(epoch))
        assert time.time() == fakes.NOW
        assert time.sleep == "native"
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(fakes.NOW + 0.5))
        assert text == "2027-01-02 03:04:05"
        assert time.strftime("100%% %Y%%m") == "100% 2027%m"
        assert time.mktime(time.localtime()) == fakes.NOW


def _native(epoch):
    """A time module whose seconds count from epoch, which is in Unix seconds."""
    return fakes.Namespace(
        gmtime=lambda seconds: utime.gmtime(seconds + epoch - EPOCH),
        mktime=lambda when: calendar(when) - epoch,
        sleep="native",
    )


def calendar(when):
    """Unix seconds of a time in 2027."""
    return 1798761600 + ((when[7] - 1) * 24 + when[3]) * 3600 + when[4] * 60 + when[5]


def test_compat_takes_a_coarse_float_for_now():
    compat = _compat()
    fakes.Clock()
    fakes.replace(port, "EPOCH", 0)
    time = compat.Time(_native(0))
    exact = time.gmtime(fakes.NOW)
    time.coarse = True
    assert time.gmtime(fakes.NOW + 60.0) == exact
    assert time.gmtime(fakes.NOW + 60)[4] == exact[4] + 1
    assert time.gmtime(fakes.NOW + 300.0)[4] == exact[4] + 5
    time.coarse = False
    assert time.gmtime(fakes.NOW + 60.0)[4] == exact[4] + 1


def test_compat_names_the_callback_that_runs():
    compat = _compat()
    stand_in = compat.Sys(sys)
    board = _connected()
    names = []
    note = lambda *values: names.append(stand_in._getframe().f_code.co_name)  # noqa: E731
    board.hub.registerMqttCallback(note, note, note, note, note, note)
    board.say(b"1")
    board.hub.publish("a/b", "x", 0)
    board.hub.disconnect()
    assert names == ["on_message", "on_publish", "on_disconnect"]
    assert stand_in._getframe().f_code.co_name == "?"
    assert stand_in.modules is sys.modules
