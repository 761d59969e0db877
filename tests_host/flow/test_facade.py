"""The vendor SDK's names: a program written for its sample, as main.py on a board."""

import re

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
    assert device["psk"] not in output and bench.hub.product_secret not in output
    assert "Traceback" not in output
    assert f"dynreg 0 {len(device['psk'])}" in output
    stamp = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,(\d{3})\.\1 \[hub\.py\] - DEBUG - "
    assert re.search(stamp + "on_connect: flags:0, rc:0, userdata:None", output)
    assert re.search(stamp + "publish success", output)
    assert re.search(r"time 1[789]\d{11}\r", output)
    assert output.count("subscribe 0") == 3 and "publish 0" in output
    assert "forbidden -1" in output
    assert re.search(r"on_message: topic:\S+/data, payload:\{'hello': 1\}, qos:1", output)
    assert "on_subscribe: mid:1, granted_qos:1" in output and "on_publish: mid:2" in output
    assert "reply 0" in output
    assert "on_unsubscribe: mid:" in output and "on_disconnect: rc:0" in output
    assert "connected False -1" in output
    published = [e["topic"] for e in bench.hub.events if e["event"] == "publish"]
    assert published.count(f"{PRODUCT}/{bench.name}/data") == 2


def test_dynreg_refused_is_minus_one_and_the_clouds_words(bench):
    bench.hub.set_product(register_type=0)
    bench.board.write_file("/main.py", PROGRAM)
    output = bench.boot(until="connected False -1")
    assert re.search(r"dynreg -1 the cloud refuses: Not support dynamic", output)
    program, end, _ = output.partition("connected False -1")  # behind it: the test's own Ctrl-C
    assert end and "Traceback" not in program


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
