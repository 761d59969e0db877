"""The vendor SDK's names for updates: the calls of its sample, in its order."""

import hashlib
import json
import sys
from binascii import hexlify

import canaries
import dynreg.services.vendor_ota  # noqa: F401
import fakes
import packets
from dynreg.services._desktop import Os
from facades import OWNER, Facade
from fakes import NAME, PRODUCT

WHO = PRODUCT, NAME
UPDATE, REPORT = "$ota/update/" + OWNER, "$ota/report/" + OWNER
FILE = bytes(range(256)) * 8
MD5 = hexlify(hashlib.md5(FILE).digest()).decode()
URL = "http://files.test/updates/1"
FETCHED, SIZE, SUM, VERSION, CHECK = range(5)


class Member:
    """Of an Enum, as a desktop's Python has them."""

    def __init__(self, value):
        self.value = value


class Broker(fakes.Peer):
    """Takes and acknowledges whatever comes; told: (topic, JSON) of each PUBLISH."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def got(self, segment):
        for packet in packets.split(segment):
            kind = packet[0] >> 4
            if kind == 1:
                self.say(packets.CONNACK)
            elif kind == 8:
                self.say(packets.suback(packet[2] << 8 | packet[3], packet[-1]))
            elif kind == 3:
                body = packet[3:] if packet[2] & 0x80 or packet[1] & 0x80 else packet[2:]
                size = 2 + (body[0] << 8 | body[1])
                message = json.loads(body[body.index(b"{") :].decode())
                self.told.append((body[2:size].decode(), message))
                self.say(packets.puback(body[size] << 8 | body[size + 1]))
            elif kind == 14:
                self.say(fakes.END)


def reply(first=0, status=206, body=None):
    size = len(FILE)
    head = b"HTTP/1.1 %d X\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n"
    begin = 0 if status == 200 else first
    return head % (status, first, size - 1, size, size - begin) + (body or FILE[begin:])


def bench(*answers):
    """(the Facade, what was told) after otaInit(); answers: the file server's to one request."""
    told = []
    peers = [Broker(told), fakes.Peer(*answers), Broker(told)]
    endpoint = {"mqtt": "mqtt://hub.local", "gateway": "http://hub.local"}
    secret = {"deviceSecret": canaries.DEVICE_SECRET}
    path = fakes.device_info(endpoint=endpoint, wifi=None, key_deviceinfo=secret)
    board = Facade(*peers, file=path)
    board.hub.connect()
    board.answers = []
    assert board.hub.otaInit(*WHO, lambda *values: board.answers.append(values))[0] == 0
    return board, told


def announce(board, **changes):
    message = {"type": "update_firmware", "version": "2.0", "url": URL, "md5sum": MD5}
    message["file_size"] = len(FILE)
    message.update(changes)
    board.say(json.dumps(message).encode(), UPDATE)


def states(told):
    """(state, percent, result_code) of each progress."""
    found = []
    for topic, message in told:
        assert topic == REPORT
        if message["type"] == "report_progress":
            assert message["report"]["version"] == "2.0"
            one = message["report"]["progress"]
            found.append((one["state"], one.get("percent"), one["result_code"]))
    return found


def fetched(board, size=500):
    """The file, by pieces of size bytes, as the sample asks for them."""
    data = b""
    while not board.hub.otaIsFetchFinished(*WHO):
        piece, count = board.hub.otaFetchYield(*WHO, size)
        assert len(piece) == count <= size
        data += piece
    return data


def test_the_samples_run():
    board, told = bench(reply())
    hub = board.hub
    assert hub.otaReportVersion(*WHO, "0.1.0")[0] == 0
    board.say(b'{"type":"report_version_rsp","result_code":0}', UPDATE)
    (answer,) = board.answers
    assert answer == (UPDATE, 1, {"type": "report_version_rsp", "result_code": 0}, "user")
    assert hub.otaIsFetching(*WHO) is False
    announce(board)
    assert len(board.answers) == 1
    assert hub.otaIsFetching(*WHO) is True
    assert hub.otaIoctlNumber(*WHO, Member(SIZE)) == (len(FILE), "success")
    assert hub.otaIoctlString(*WHO, Member(VERSION), 32) == ("2.0", "success")
    assert hub.otaIoctlString(*WHO, SUM, 32) == (MD5, "success")
    assert hub.otaDownloadStart(*WHO, 0, len(FILE)) == 0
    assert hub.isMqttConnected() is False, "two connections of TLS have no room on a board"
    assert hub.otaFetchYield(*WHO, 500) == (FILE[:500], 500)
    assert hub.otaIoctlNumber(*WHO, FETCHED) == (500, "success")
    assert hub.otaIoctlNumber(*WHO, CHECK) == (-1, "state error")
    assert fetched(board) == FILE[500:]
    assert hub.isMqttConnected() is True
    assert hub.otaIoctlNumber(*WHO, CHECK) == (0, "success")
    assert hub.otaIsFetching(*WHO) is False
    assert hub.otaReportUpgradeSuccess(*WHO, None)[0] == 0
    assert told[0] == (REPORT, {"type": "report_version", "report": {"version": "0.1.0"}})
    assert states(told) == [
        ("downloading", "0", "0"),
        ("downloading", "100", "0"),
        ("done", None, "0"),
    ]


def test_a_download_goes_on_where_it_was():
    for status in (206, 200):  # 200: a server that knows no ranges
        board, _ = bench(reply(1000, status))
        announce(board)
        hub = board.hub
        hub.otaResetMd5(*WHO)
        hub.otaMd5Update(*WHO, FILE[:600])
        hub.otaMd5Update(*WHO, FILE[600:1000])
        assert hub.otaDownloadStart(*WHO, 1000, len(FILE)) == 0
        assert fetched(board, 5000) == FILE[1000:]
        assert hub.otaIoctlNumber(*WHO, CHECK) == (0, "success")
        fakes.restore()


def test_another_md5_is_told():
    board, told = bench(reply(body=bytes(len(FILE))))
    announce(board)
    assert board.hub.otaDownloadStart(*WHO, 0, len(FILE)) == 0
    assert fetched(board) == bytes(len(FILE))
    assert board.hub.otaIoctlNumber(*WHO, CHECK) == (-1, "md5 error")
    assert states(told)[-1] == ("fail", None, "-4")
    assert board.hub.otaReportUpgradeFail(*WHO, None)[0] == 0
    assert states(told)[-1] == ("fail", None, "-5")


def test_what_a_server_refuses():
    for status, code in ((404, "-2"), (403, "-3"), (503, "-1"), (302, "-5")):
        board, told = bench(reply(status=status))
        announce(board)
        assert board.hub.otaDownloadStart(*WHO, 0, len(FILE)) == 1
        assert board.hub.isMqttConnected() is True
        assert states(told)[1:] == [("fail", None, code)], status
        assert board.hub.otaIsFetching(*WHO) is False, "else the sample asks for ever"
        fakes.restore()


def test_a_file_that_ends_early():
    board, told = bench([(0, reply()[:-900]), (1, fakes.END)])
    announce(board)
    assert board.hub.otaDownloadStart(*WHO, 0, len(FILE)) == 0
    ends = [board.hub.otaFetchYield(*WHO, 1024)[1] for _ in range(3)]
    assert ends == [1024, -2, -1]
    assert states(told)[1:] == [("fail", None, "-1")]
    assert board.hub.isMqttConnected() is True


def test_a_plain_url_where_the_gateway_is_not_is_refused():
    board, told = bench()
    board.hub._device.info.gateway.secure = True
    announce(board)
    assert board.hub.otaDownloadStart(*WHO, 0, len(FILE)) == 1
    assert states(told)[1:] == [("fail", None, "-5")]


def test_what_is_no_announcement_changes_nothing():
    board, _ = bench()
    for changes in ({"file_size": 0}, {"file_size": -1}, {"file_size": "1"}, {"file_size": None}):
        announce(board, **changes)
    for message in (b"", b"[]", b"{}", b'{"type":"update_firmware"}', b"\xff"):
        board.say(message, UPDATE)
    assert board.hub.isMqttConnected() is True
    assert board.hub.otaIsFetching(*WHO) is False
    assert board.hub.otaIoctlNumber(*WHO, SIZE) == (-1, "state error")
    assert board.hub.otaIoctlString(*WHO, VERSION, 32) == ("null", "state error")
    assert board.hub.otaDownloadStart(*WHO, 0, 1) == 1
    assert board.hub.otaFetchYield(*WHO, 100) == (None, -1)


def test_texts_that_are_too_long():
    board, _ = bench()
    announce(board, version="2" * 33)
    assert board.hub.otaIoctlString(*WHO, VERSION, 32) == ("null", "length error")


def test_what_the_sample_takes_from_a_desktops_python():
    from enum import Enum, IntEnum

    class Mine(Enum):
        ONE = 1

    class Other(IntEnum):
        TWO = 2

    assert getattr(Mine.ONE, "value", Mine.ONE) == 1
    assert getattr(Other.TWO, "value", Other.TWO) == 2
    path = fakes.write(fakes.folder() + "/there", "x")
    for module in (sys.modules["os"], Os()):
        assert module.path.exists(path) is True
        assert module.path.exists(path + "-not") is False
        assert module.stat(path)[6] == 1
