"""The vendor SDK's names (lib/hub): its file, addresses, results and log."""

import json
import os

import fakes
import packets
from dynreg import log
from dynreg.errors import ConfigError
from facades import CONTROL, OWNER, Facade, connected
from hub import hub as facade
from hub.hub import QcloudHub

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
    board = connected()
    board.peer.expect(packets.suback(2, 0x80))
    assert board.hub.subscribe("another/device/data", 0)[0] == -1
    assert board.hub.publish("a/b", "x", 2)[0] == -1
    assert board.hub.publish("a/b", b"x" * 16385, 0)[0] == -1
    assert board.hub.isMqttConnected() is True


def test_no_answer_to_the_time_is_minus_one():
    board = connected()
    assert board.hub.getNtpAccurateTime() == -1


def test_on_disconnect_says_who_ended_it():
    board = connected()
    board.hub.disconnect()
    assert board.heard == [("disconnect", 0, "user")]
    fakes.restore()
    board = connected()
    board.peer.say(fakes.END)
    assert board.hub.isMqttConnected() is False
    assert board.heard == [("disconnect", -1, "user")]


# --- the log ------------------------------------------------------------------------------------


def _lines(level, enable=True):
    board = connected()
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
