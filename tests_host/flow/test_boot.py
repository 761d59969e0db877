"""The whole flow on a virtual board: the normal case, and each thing that the hub can refuse."""

import json
import re
import shutil
import time

import pytest

from dynreg_tools import demo, sources
from dynreg_tools.virtualboard import Board
from tests_host.flow.conftest import LATER, PRODUCT, WIFI, put_off, report_of

TRACEBACK = "Traceback"


def kinds(hub):
    return [event["event"] for event in hub.events]


def test_a_blank_board_registers_and_a_second_boot_logs_in_without(bench):
    before = bench.info()
    first = bench.boot()
    report = report_of(first)
    demo.check_steps(first)
    assert report["registered"]
    assert report["connected"]
    assert report["clock_set"]
    assert report["tls"] == "psk"
    assert report["error"] is None
    assert report["device"] == PRODUCT + bench.name
    assert kinds(bench.hub).count("registered") == 1
    (device,) = bench.hub.devices()
    after = bench.info()
    assert after["key_deviceinfo"]["deviceSecret"] == device["psk"]
    assert len(after["key_deviceinfo"]["check"]) == 8
    after["key_deviceinfo"] = before["key_deviceinfo"]
    assert after == before  # nothing else in the file has changed

    second = bench.boot()
    report = report_of(second)
    assert not report["registered"]
    assert report["connected"]
    assert report["clock_set"]
    assert "register: not needed" in second
    assert kinds(bench.hub).count("registered") == 1
    assert kinds(bench.hub).count("login") == 2


def test_the_hub_sees_exactly_the_packets_of_the_documented_run(bench):
    bench.boot()
    name, pid = bench.name, PRODUCT
    result = f"$sys/operation/result/{pid}/{name}".encode()
    request = f"$sys/operation/{pid}/{name}".encode()
    packets = [(p.direction, p.raw) for p in bench.hub.packets]
    connect = packets[0][1]
    client = (pid + name).encode()
    # protocol name, level 4, flags: user name, password, clean session; keep-alive 60; client id
    # (no password: the connection is TLS-PSK)
    head = b"\x00\x04MQTT\x04\x82\x00\x3c" + len(client).to_bytes(2, "big") + client
    assert connect[0] == 0x10
    assert connect[2:].startswith(head)
    user = re.search(rb"\x00(.)(" + client + rb";12010126;[A-Za-z0-9]{5};([0-9]{10}))", connect)
    assert user
    assert len(user[2]) == user[1][0]
    assert connect.endswith(user[2])
    assert 0 < int(user[3]) - time.time() <= 3600  # not good for longer than an hour
    body = b'{"type":"get","resource":["time"]}'
    assert packets[1] == ("out", b"\x20\x02\x00\x00")
    assert packets[2] == (
        "in",
        bytes([0x82, 5 + len(result), 0xFF, 0xFF, 0, len(result)]) + result + b"\x00",
    )
    assert packets[3] == (
        "in",
        bytes([0x30, 2 + len(request) + len(body), 0, len(request)]) + request + body,
    ) or packets[3] == ("out", b"\x90\x03\xff\xff\x00")
    inbound = [data for direction, data in packets if direction == "in"]
    assert (
        inbound[2] == bytes([0x30, 2 + len(request) + len(body), 0, len(request)]) + request + body
    )
    assert ("out", b"\x90\x03\xff\xff\x00") in packets
    assert inbound[-1] == b"\xe0\x00"


def test_a_warm_boot_makes_no_https_request(bench):
    bench.boot()
    before = len(bench.hub.requests)
    assert before == 1
    bench.boot()
    assert len(bench.hub.requests) == before


REFUSALS = {
    "off": (dict(register_type=0), "Not support dynamic device register"),
    "unknown name": (dict(register_type=1), "Pre create mode: device not exists"),
    "limit": (dict(register_limit=0), "imit"),
}


@pytest.mark.parametrize("switch", REFUSALS)
def test_a_switch_in_the_console_refuses(bench, switch):
    settings, words = REFUSALS[switch]
    bench.hub.set_product(**settings)
    before = bench.info()
    output = bench.boot(until=LATER)
    assert words in output
    assert TRACEBACK not in output
    assert put_off(output) == "register.refused"
    assert kinds(bench.hub).count("refused") == 1  # the next in 15 minutes or more
    assert bench.info() == before


def test_another_product_is_refused(bench):
    bench.configure(productId="NOTTHISONE")
    output = bench.boot(until=LATER)
    assert put_off(output) == "register.refused"
    assert "product not exists" in output
    assert TRACEBACK not in output


# What a board's boot.py does here before it does what it should: fill the flash.
FILL = """
import os
number, size = 0, 65536
while size >= 128:
    number += 1
    try:
        with open("/fill%d" % number, "wb") as file:
            file.write(bytes(size))
    except OSError:
        size //= 2
print("free blocks:", os.statvfs("/")[3])
"""


def test_a_full_flash_is_found_before_the_cloud_is_asked(bench):
    boot = bench.board.read_file("/boot.py").decode()
    bench.board.write_file("/boot.py", FILL + boot)
    before = bench.info()
    output = bench.boot(until=">>> ")
    assert report_of(output)["error"] == "storage.full", output
    assert "make room first" in output
    assert TRACEBACK not in output
    assert not bench.hub.requests
    assert bench.info() == before


def test_a_name_created_beforehand_may_register(bench):
    bench.hub.set_product(register_type=1)
    bench.hub.add_device(bench.name)
    assert report_of(bench.boot())["registered"]


def test_the_wrong_product_secret_is_refused(bench):
    bench.configure(productSecret="0123456789abcdefWRONG")
    output = bench.boot(until=LATER)
    assert put_off(output) == "register.refused"
    # Once with the time, once with 0: the server's window is not known.
    assert [e["event"] for e in bench.hub.events if e["event"] == "refused"] == ["refused"] * 2
    assert "0123456789abcdefWRONG" not in output
    assert TRACEBACK not in output


def test_an_activated_device_is_reported_as_such(bench):
    bench.boot()
    bench.configure()
    (bench.board.folder / "nvs.bin").unlink()  # both copies are lost
    output = bench.boot(until=LATER)
    assert put_off(output) == "register.refused"
    assert "activated" in output
    assert TRACEBACK not in output


def test_another_secret_typed_over_the_stored_one_is_asked_about(bench):
    bench.boot()
    bench.configure(key_deviceinfo={"deviceSecret": "dHlwZWQgYnkgYSBwZXJzb24="})
    before = bench.info()
    output = bench.boot(until=">>> ")
    assert report_of(output)["error"] == "storage.two"
    assert len(bench.hub.requests) == 1
    assert bench.info() == before
    assert TRACEBACK not in output


def test_a_login_with_the_wrong_secret_is_refused_and_never_registers(bench):
    wrong = {"deviceSecret": "dHlwZWQgYnkgYSBwZXJzb24="}
    bench.hub.add_device(bench.name, psk="BBBBBBBBBBBBBBBBBBBBBA==")
    bench.configure(key_deviceinfo=wrong)
    output = bench.boot(until="again in")
    assert "CONNACK 4" in output
    assert TRACEBACK not in output
    assert not bench.hub.requests
    assert bench.info()["key_deviceinfo"]["deviceSecret"] == wrong["deviceSecret"]


def test_a_typed_secret_is_kept_twice_after_the_first_login(bench):
    bench.hub.add_device(bench.name, psk="dHlwZWQgYnkgYSBwZXJzb24=")
    bench.configure(key_deviceinfo={"deviceSecret": "dHlwZWQgYnkgYSBwZXJzb24="})
    output = bench.boot()
    assert report_of(output)["connected"]
    assert TRACEBACK not in output
    assert output.index("CONNACK 0") < output.index("was unchecked, healed")
    assert not bench.hub.requests
    bench.configure()
    assert report_of(bench.boot())["connected"], "the second copy has it"


def test_a_fresh_file_over_a_registered_board_keeps_its_secret(bench):
    bench.boot()
    secret = bench.info()["key_deviceinfo"]["deviceSecret"]
    bench.configure(note="a fresh one")
    output = bench.boot()
    assert "healed" in output
    assert report_of(output)["connected"]
    assert not report_of(output)["registered"]
    assert len(bench.hub.requests) == 1
    assert bench.info()["key_deviceinfo"]["deviceSecret"] == secret
    assert bench.info()["note"] == "a fresh one"


def test_another_ca_is_refused_at_registration(bench):
    before = bench.info()
    bench.hub.exchange_ca()
    output = bench.boot(until=LATER)
    assert put_off(output) == "certificate"
    assert "localhost is not trusted" in output
    assert TRACEBACK not in output
    assert not bench.hub.requests
    assert not bench.hub.devices()
    assert bench.info() == before


WITHOUT_PSK = pytest.mark.parametrize("hub", [{"psk": False}], indirect=True)


@WITHOUT_PSK
def test_a_hub_without_psk_is_met_with_the_verified_certificate_and_remembered(bench):
    # Chance would have PSK tried again once in 16 boots.
    boot = bench.board.read_file("/boot.py").decode()
    bench.board.write_file("/boot.py", boot + NO_RANDOM_PSK_RETRY)
    for turned_down in (1, 0):
        output = bench.boot()
        assert report_of(output)["tls"] == "verified-ca"
        assert report_of(output)["clock_set"]
        assert output.count("no secure connection") == turned_down, output


@WITHOUT_PSK
def test_another_ca_is_refused_at_login(bench):
    bench.boot()
    logins = kinds(bench.hub).count("login")
    bench.hub.exchange_ca()
    output = bench.boot(until=LATER)
    assert put_off(output) == "certificate"
    assert "localhost is not trusted" in output
    assert TRACEBACK not in output
    assert kinds(bench.hub).count("login") == logins


def test_the_built_in_roots_do_not_trust_the_local_hub(bench):
    endpoint = {"gateway": bench.hub.https, "mqtt": bench.hub.mqtts}
    bench.configure(endpoint=endpoint)
    output = bench.boot(until=LATER)
    assert put_off(output) == "certificate"
    assert not bench.hub.requests


def block_ntp(bench):
    settings = bench.board.folder / "board.json"
    values = json.loads(settings.read_text())
    values["ntp"] = None
    settings.write_text(json.dumps(values))
    bench.board = Board(bench.board.folder)


def test_without_a_clock_the_certificate_is_not_believed_and_asked_for_again(bench):
    block_ntp(bench)
    output = bench.boot(until="(but the clock is not set) [network.clock]; again in")
    assert TRACEBACK not in output
    assert not bench.hub.requests


def test_where_ntp_is_blocked_the_gateways_date_will_do(bench):
    block_ntp(bench)
    endpoint = bench.info()["endpoint"]
    bench.configure(endpoint=dict(endpoint, date=bench.hub.http))
    output = bench.boot()
    report = report_of(output)
    assert report["registered"]
    assert report["clock_set"]
    assert "UTC by the gateway's Date" in output


def test_a_later_boot_over_psk_needs_no_clock_at_all(bench):
    bench.boot()
    block_ntp(bench)
    output = bench.boot()
    report = report_of(output)
    assert report["tls"] == "psk"
    assert report["clock_set"]
    assert not report["registered"]
    assert "NTP" not in output
    assert "Date" not in output


def test_plain_http_and_mqtt_only_with_a_warning(bench):
    bench.configure(endpoint={"gateway": bench.hub.http, "mqtt": bench.hub.mqtt})
    output = bench.boot()
    report = report_of(output)
    assert report["tls"] == "plain"
    assert report["registered"]
    assert report["connected"]
    assert output.count("not encrypted") == 2


BAD_FILES = {
    "cut off": ('{"productId": "', "is no whole JSON object"),
    "no object": ("[1, 2]", "is no whole JSON object"),
    "placeholders": (None, "productId still holds the placeholder"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_gets_one_sentence_and_stays(bench, case):
    text, words = BAD_FILES[case]
    if text is None:
        text = (sources.ROOT / "device_info.json").read_text()
    bench.board.write_file("/device_info.json", text)
    output = bench.boot(until=">>> ")
    assert f"/device_info.json: {words}" in output
    assert TRACEBACK not in output
    assert bench.board.read_file("/device_info.json").decode() == text
    assert not bench.hub.requests


def test_a_missing_file_says_how_to_bring_it(bench):
    bench.board.remove_file("/device_info.json")
    output = bench.boot(until=">>> ")
    assert "mpremote cp device_info.json" in output
    assert TRACEBACK not in output


def test_a_wrong_ca_file_stops_before_anything_is_registered(bench):
    bench.board.write_file("/certs/bad.der", b"\x30\x82\x01\x00 not a certificate")
    endpoint = bench.info()["endpoint"]
    bench.configure(endpoint={**endpoint, "mqttCa": "/certs/bad.der"})
    output = bench.boot(until=">>> ")
    assert "/certs/bad.der: is no certificate" in output
    assert TRACEBACK not in output
    assert not bench.hub.requests


def test_a_wifi_with_an_emoji_in_its_name_is_joined(bench):
    settings = bench.board.folder / "board.json"
    values = json.loads(settings.read_text())
    values["wifi"] = {"\U0001f600 \u5bb6": "\u5bc6\u7801 \U0001f511 secret"}
    settings.write_text(json.dumps(values))
    bench.board = Board(bench.board.folder)
    bench.configure(
        wifi={"ssid": "\U0001f600 \u5bb6", "password": values["wifi"]["\U0001f600 \u5bb6"]}
    )
    text = json.dumps(bench.info())
    assert "\\ud83d\\ude00" in text, "two escapes, as many tools write it"
    bench.board.write_file("/device_info.json", text)
    output = bench.boot()
    assert report_of(output)["connected"]
    assert TRACEBACK not in output
    assert "wifi: joining \U0001f600 \u5bb6" in output


def test_no_wifi_and_boot_returns_and_ctrl_c_gives_the_prompt(bench):
    bench.configure(wifi={"ssid": "elsewhere", "password": WIFI["bench"]})
    output = bench.boot(until=re.compile(r"(?s)boot: no Wi-Fi: .*wifi: joining elsewhere"))
    assert '"elsewhere" is not in reach' in output
    assert TRACEBACK not in output


def test_a_wrong_wifi_password_is_named_and_never_shown(bench):
    bench.configure(wifi={"ssid": "bench", "password": "not the password"})
    output = bench.boot(until=re.compile(r"(?s)boot: no Wi-Fi: .*wifi: joining bench"))
    assert '"bench" does not let us in: is the password right?' in output
    assert "not the password" not in output
    assert TRACEBACK not in output


def test_messages_go_both_ways_and_a_kicked_session_comes_back(bench):
    with bench.board.power_on() as running:
        running.wait_for("heartbeat: sent", 30)
        topic = f"{PRODUCT}/{bench.name}/control"
        assert bench.hub.publish(topic, "led on") == 1
        running.wait_for("led on")
        bench.hub.kick(bench.name)
        running.wait_for(re.compile(r"connection lost: .*again in \d+ s"))
        running.wait_for("CONNACK 0", 30)
        bench.hub.wait_for("subscribe", topic=topic, count=2)
        assert bench.hub.publish(topic, "led off") == 1
        running.wait_for("led off")
        running.write("\x03")
        running.wait_for("disconnect: done")
        running.wait_repl()
    users = {p.raw[-120:] for p in bench.hub.packets if p.direction == "in" and p.raw[0] == 0x10}
    assert len(users) == 2  # a fresh user name each time


NO_RANDOM_PSK_RETRY = """
from dynreg import port
port.random_bytes = lambda count, real=port.random_bytes: bytes(b | 16 for b in real(count))
"""


def test_a_heartbeat_carries_unix_time(bench):
    before = int(time.time())
    bench.boot()
    sent = b"".join(p.raw for p in bench.hub.packets if p.direction == "in")
    (beat,) = re.findall(rb'{"heartbeat":(\d+)}', sent)
    assert before - 2 <= int(beat) <= time.time() + 2


def test_two_boards_with_one_file_get_two_names(bench, tmp_path, deployed):
    second = tmp_path / "second"
    shutil.copytree(bench.board.folder, second)
    settings = second / "board.json"
    values = json.loads(settings.read_text())
    values["mac"] = "24:6f:28:00:00:02"
    settings.write_text(json.dumps(values))
    bench.boot()
    bench.board = Board(second)
    bench.boot()
    assert {d["name"] for d in bench.hub.devices()} == {
        "esp32-246f28000002",
        "esp32-" + Board(deployed).unique_id.hex(),
    }
