"""The vendor SDK's names: a program written for its sample, as main.py on a board."""

import json
import re
from datetime import UTC, datetime

from tests_host.flow.conftest import PRODUCT

# The calls, names and order are those of docs/protocol.md, 9.
PROGRAM = """
import time
from hub.hub import QcloudHub

def on_connect(flags, rc, userdata):
    logger.debug("on_connect: flags:%d, rc:%d, userdata:%s" % (flags, rc, userdata))

def on_disconnect(rc, userdata):
    logger.debug("on_disconnect: rc:%d" % rc)

def on_message(topic, payload, qos, userdata):
    logger.debug("on_message: topic:%s, payload:%s, qos:%d" % (topic, payload, qos))

def on_publish(mid, userdata):
    logger.debug("on_publish: mid:%d" % mid)

def on_subscribe(mid, granted_qos, userdata):
    logger.debug("on_subscribe: mid:%d, granted_qos:%d" % (mid, granted_qos))

def on_unsubscribe(mid, userdata):
    logger.debug("on_unsubscribe: mid:%d" % mid)

def own(topic, qos, payload, userdata):
    logger.debug("own: %s" % payload["n"])
    print("reply", qcloud.publish(DATA, {"from": "callback"}, 0)[0])

provider = QcloudHub(device_file="/device_info.json", tls=True)
qcloud = provider.hub
logger = qcloud.logInit(qcloud.LoggerLevel.DEBUG, "logs/log", 1024 * 1024 * 10, 5, enable=True)
ret, msg = qcloud.dynregDevice()
print("dynreg", ret, len(msg) if ret == 0 else msg)
qcloud.registerMqttCallback(on_connect, on_disconnect, on_message, on_publish, on_subscribe,
                            on_unsubscribe)
qcloud.connect()
count = 0
while not qcloud.isMqttConnected() and count < 3:
    time.sleep(1)
    count += 1
DATA = "%s/%s/data" % (qcloud.getProductID(), qcloud.getDeviceName())
CONTROL = "%s/%s/control" % (qcloud.getProductID(), qcloud.getDeviceName())
if qcloud.isMqttConnected():
    print("time", qcloud.getNtpAccurateTime())
    print("subscribe", qcloud.subscribe(DATA, 1)[0])
    print("publish", qcloud.publish(DATA, {"hello": 1}, 1)[0])
    print("forbidden", qcloud.subscribe("another/device/data", 0)[0])
    qcloud.registerUserCallback(CONTROL, own)
    print("subscribe", qcloud.subscribe(CONTROL, 0)[0])
    time.sleep(1)
    print("unsubscribe", qcloud.unsubscribe(DATA)[0])
    print("ready")
    for _ in range(40):
        time.sleep(0.1)
    qcloud.disconnect()
print("connected", qcloud.isMqttConnected(), qcloud.publish(DATA, "late", 0)[0])
"""


def test_a_program_for_the_vendors_sdk_runs_unchanged(bench):
    bench.board.write_file("/main.py", PROGRAM)
    with bench.board.power_on() as running:
        running.wait_for("ready", 30)
        # Its loop only sleeps: the message comes in by the facade's own thread.
        bench.hub.publish(f"{PRODUCT}/{bench.name}/control", '{"n": 42}')
        running.wait_for("own: 42")
        running.wait_for(re.compile(r"connected \w+ -?\d+"))
        running.wait_repl()
        output = running.output
    (device,) = bench.hub.devices()
    assert device["psk"] not in output
    assert bench.hub.product_secret not in output
    assert "Traceback" not in output
    assert f"dynreg 0 {len(device['psk'])}" in output
    stamp = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,(\d{3})\.\1 \[hub\.py\] - DEBUG - "
    assert re.search(stamp + "on_connect: flags:0, rc:0, userdata:None", output)
    assert re.search(stamp + "publish success", output)
    assert re.search(r"time 1[789]\d{11}\r", output)
    assert output.count("subscribe 0") == 3
    assert "publish 0" in output
    assert "forbidden -1" in output
    assert re.search(r"on_message: topic:\S+/data, payload:\{'hello': 1\}, qos:1", output)
    assert "on_subscribe: mid:1, granted_qos:1" in output
    assert "on_publish: mid:2" in output
    assert "reply 0" in output
    assert "message on" in output, "DEBUG has a line for each message"
    assert "on_unsubscribe: mid:" in output
    assert "on_disconnect: rc:0" in output
    assert "connected False -1" in output
    published = [e["topic"] for e in bench.hub.events if e["event"] == "publish"]
    assert published.count(f"{PRODUCT}/{bench.name}/data") == 2


def test_dynreg_refused_is_minus_one_and_the_clouds_words(bench):
    bench.hub.set_product(register_type=0)
    bench.board.write_file("/main.py", PROGRAM)
    output = bench.boot(until="connected False -1")
    assert re.search(r"dynreg -1 the cloud refuses: Not support dynamic", output)
    program, end, _ = output.partition("connected False -1")  # behind it: the test's own Ctrl-C
    assert end
    assert "Traceback" not in program


def test_a_stored_secret_is_given_back_without_another_registration(bench):
    bench.boot()
    (device,) = bench.hub.devices()
    bench.board.write_file(
        "/main.py",
        "from hub.hub import QcloudHub\n"
        "ret, psk = QcloudHub(device_file='/device_info.json').hub.dynregDevice()\n"
        "print('same', ret, len(psk))\n",
    )
    output = bench.boot(until=re.compile(r"same 0 \d+"))
    assert f"same 0 {len(device['psk'])}" in output
    assert len(bench.hub.requests) == 1


# What the vendor's samples do (hub/sample/dynreg and hub/sample/mqtt of its Python SDK), call by
# call, with what they take from a desktop's Python.
SAMPLE = """
import sys
import time
import logging
from hub.hub import QcloudHub

provider = QcloudHub(device_file="hub/sample/device_info.json", tls=True)
qcloud = provider.hub
logger = qcloud.logInit(qcloud.LoggerLevel.DEBUG, "logs/log", 1024 * 1024 * 10, 5, enable=True)


def on_connect(flags, rc, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:flags:%d,rc:%d,userdata:%s" % (name, flags, rc, userdata))


def on_disconnect(rc, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:rc:%d,userdata:%s" % (name, rc, userdata))


def on_message(topic, payload, qos, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:topic:%s,payload:%s,qos:%s" % (name, topic, payload, qos))


def on_publish(mid, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:mid:%d,userdata:%s" % (name, mid, userdata))


def on_subscribe(mid, granted_qos, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:mid:%d,granted_qos:%s" % (name, mid, granted_qos))


def on_unsubscribe(mid, userdata):
    name = sys._getframe().f_code.co_name
    logger.debug("%s:mid:%d,userdata:%s" % (name, mid, userdata))


def sample():
    ret, msg = qcloud.dynregDevice()
    if ret != 0:
        print("registration fails: {}".format(msg))
        return False
    qcloud.registerMqttCallback(
        on_connect, on_disconnect, on_message, on_publish, on_subscribe, on_unsubscribe
    )
    qcloud.connect()
    count = 0
    while True:
        if qcloud.isMqttConnected():
            break
        if count >= 3:
            logger.error("sample fails")
            return False
        time.sleep(1)
        count += 1
    timestamp = qcloud.getNtpAccurateTime()
    dt = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timestamp / 1000))
    logger.debug("current time:%s" % dt)
    qcloud.disconnect()
    return True


print("sample", sample())
"""
# What docs/protocol.md, 9 has for boot.py.
BOOT = """
import sys
sys.path.append(sys.path.pop(0))
import hub.compat
sys.path.insert(0, sys.path.pop())
"""


def _sample(bench):
    """The sample's output, on a board whose boot.py ends as docs/protocol.md, 9 says."""
    bench.board.write_file("/boot.py", bench.board.read_file("/boot.py").decode() + BOOT)
    bench.board.write_file("/main.py", SAMPLE)
    before = datetime.now(UTC)
    output = bench.boot(until=re.compile(r"sample (True|False)|Traceback"))
    assert "sample True" in output
    told = re.search(r"current time:(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", output)
    told = datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs((told - before).total_seconds()) < 30
    assert re.search(r"\[hub\.py\] - DEBUG - on_connect:flags:0,rc:0,userdata:None", output)
    assert "DEBUG - on_disconnect:rc:0,userdata:None" in output
    return output


def test_the_vendors_sample_runs_unchanged(bench):
    output = _sample(bench)
    assert "hub/sample/device_info.json: not on this board, /device_info.json" in output
    (device,) = bench.hub.devices()
    assert bench.info()["key_deviceinfo"]["deviceSecret"] == device["psk"]


def test_the_samples_folders_do_not_hide_the_package(bench):
    values = bench.info()
    values["deviceName"] = "of-the-sample"
    bench.board.write_file("/hub/sample/device_info.json", json.dumps(values))
    output = _sample(bench)
    assert "not on this board" not in output
    (device,) = bench.hub.devices()
    assert device["name"] == "of-the-sample"


# The calls of the vendor's sample for updates (hub/sample/ota), in its order.
UPDATE = """
import os
import time
from enum import Enum
from hub.hub import QcloudHub

class Ask(Enum):
    FILE_SIZE = 1
    VERSION = 3
    CHECK_FIRMWARE = 4

acknowledged = []
heard = []
qcloud = QcloudHub(device_file="hub/sample/device_info.json", tls=True).hub
who = qcloud.getProductID(), qcloud.getDeviceName()
qcloud.registerMqttCallback(
    None, None, None, lambda mid, userdata: acknowledged.append(mid), None, None
)
qcloud.connect()
qcloud.otaInit(*who, lambda topic, qos, payload, userdata: heard.append(payload["result_code"]))
qcloud.otaReportVersion(*who, "0.1.0")
while not heard:
    time.sleep(0.1)
print("wait for ota upgrade command")
while not qcloud.otaIsFetching(*who):
    time.sleep(0.1)
size, state = qcloud.otaIoctlNumber(*who, Ask.FILE_SIZE)
version, state = qcloud.otaIoctlString(*who, Ask.VERSION, 32)
path = "./FW_%s.bin" % version
print("there", os.path.exists(path), qcloud.otaDownloadStart(*who, 0, size))
with open(path, "wb+") as file:
    while not qcloud.otaIsFetchFinished(*who):
        buf, count = qcloud.otaFetchYield(*who, 5000)
        if count < 0:
            break
        file.write(buf)
print("valid", qcloud.otaIoctlNumber(*who, Ask.CHECK_FIRMWARE))
rc, mid = qcloud.otaReportUpgradeSuccess(*who, None)
while mid not in acknowledged:
    time.sleep(0.1)
print("sample ends", rc)
"""


def test_the_vendors_sample_for_updates(bench):
    line = "\nimport dynreg.services.vendor_ota"
    boot = bench.board.read_file("/boot.py").decode() + BOOT.replace("compat", "compat" + line)
    bench.install({"/boot.py": boot, "/main.py": UPDATE})
    bench.fast_forward = 1
    data = bytes(range(256)) * 50
    with bench.power_on() as running:
        running.wait_for("wait for ota upgrade command", 30)
        bench.hub.services.update(bench.name, "2.0", data, "https")
        running.wait_for(re.compile(r"sample ends|Traceback"), 60)
        running.wait_repl()
        output = running.output
    assert "there False 0" in output
    assert "valid (0, 'success')" in output
    assert "sample ends 0" in output
    assert bench.board.read_file("/FW_2.0.bin") == data
    assert bench.hub.services.updates()[bench.name]["state"] == "done"
