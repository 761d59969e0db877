"""Certificate mode from end to end: a virtual board, the real hub, mutual TLS, RSA and EC."""

import hashlib
import json
import re

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from dynreg_tools import demo
from tests_host.flow.conftest import LATER, PRODUCT, put_off, report_of

CERT, KEY = "/certs/device_cert.pem", "/certs/device_key.pem"
RSA = {"auth_mode": "cert", "device_key": "rsa"}
EC = {"auth_mode": "cert", "device_key": "ec"}
OWN_CA = trustme.CA(key_type=trustme.KeyType.ECDSA)
OWN = {"auth_mode": "cert", "own_ca": OWN_CA.cert_pem.bytes()}
both_keys = pytest.mark.parametrize("hub", [RSA, EC], ids=["rsa", "ec"], indirect=True)
ec_key = pytest.mark.parametrize("hub", [EC], ids=["ec"], indirect=True)
own_ca = pytest.mark.parametrize("hub", [OWN], ids=["own_ca"], indirect=True)


def kinds(hub):
    return [event["event"] for event in hub.events]


def fingerprint_of(pem):
    return x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex()


def check_connected(output, registered):
    report = report_of(output)
    demo.check_steps(output)
    assert report["connected"], report
    assert report["clock_set"], report
    assert report["error"] is None, report
    assert report["tls"] == "verified-ca"
    assert report["registered"] is registered
    assert "Traceback" not in output


def credential(bench):
    """What the board keeps: certificate, key, and the second copy, without its CRC."""
    for line in (bench.board.folder / "nvs.bin").read_text().splitlines():
        namespace, name, value = line.split("\t")
        if (namespace, name) == ("dynreg", "credential"):
            record = bytes.fromhex(value[1:])[4:]
    return bench.board.read_file(CERT), bench.board.read_file(KEY), json.loads(record)


@both_keys
def test_a_blank_board_gets_a_certificate_and_logs_in_with_it(bench, request):
    before = bench.info()
    check_connected(bench.boot(), registered=True)
    certificate, key, record = credential(bench)
    (device,) = bench.hub.devices()
    assert device["mode"] == "cert"
    assert device["activated"]
    assert device["psk"] is None
    assert fingerprint_of(certificate) == device["fingerprint"]
    kind = b"RSA" if "rsa" in request.node.name else b"EC"
    assert key.startswith(b"-----BEGIN " + kind + b" PRIVATE KEY-----\n")
    assert record[0] == f"{PRODUCT}/{bench.name}"
    assert record[-2:] == [certificate.decode(), key.decode()]
    after = bench.info()
    section = after["cert_deviceinfo"]
    assert section.pop("check")
    assert (section["devCertFile"], section["devPrivateKeyFile"]) == (CERT, KEY)
    after["cert_deviceinfo"] = before["cert_deviceinfo"]
    assert after == before  # nothing else in the file has changed

    stored = bench.board.read_file("/device_info.json")
    second = bench.boot()
    check_connected(second, registered=False)
    assert "register: not needed" in second
    assert len(bench.hub.requests) == 1
    assert kinds(bench.hub).count("registered") == 1
    assert kinds(bench.hub).count("login") == 2
    assert credential(bench) == (certificate, key, record)
    assert bench.board.read_file("/device_info.json") == stored


def copy_a_fresh_config(bench):
    bench.configure()


def delete_the_certificate(bench):
    bench.board.remove_file(CERT)


def delete_the_key(bench):
    bench.board.remove_file(KEY)


def damage_the_key(bench):
    bench.board.write_file(KEY, bench.board.read_file(KEY)[:-100])


def delete_nvs(bench):
    (bench.board.folder / "nvs.bin").unlink()


@ec_key
def test_whatever_is_lost_comes_back_from_the_other_copy(bench):
    bench.boot()
    kept = credential(bench)
    info = bench.info()
    for lose, words in (
        (copy_a_fresh_config, "was missing, healed"),
        (delete_the_certificate, "was damaged, healed"),
        (delete_the_key, "was damaged, healed"),
        (damage_the_key, "was damaged, healed"),
        (delete_nvs, "the second copy was missing, healed"),
    ):
        lose(bench)
        output = bench.boot()
        check_connected(output, registered=False)
        assert words in output, lose
        assert credential(bench)[:2] == kept[:2]
        assert credential(bench)[2][-2:] == kept[2][-2:]
        assert bench.info() == info, lose
        assert len(bench.hub.requests) == 1, lose
    assert "healed" not in bench.boot()


@ec_key
def test_both_copies_damaged_is_reported_and_never_registers(bench):
    bench.boot()
    damage_the_key(bench)
    nvs = bench.board.folder / "nvs.bin"
    lines = nvs.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if "credential" in line)
    last = lines[place][-1]
    lines[place] = lines[place][:-1] + ("0" if last != "0" else "1")
    nvs.write_text("\n".join(lines) + "\n")
    logins = kinds(bench.hub).count("login")
    output = bench.boot(until=">>> ")
    assert "[storage.damaged]" in output
    assert "Traceback" not in output
    assert len(bench.hub.requests) == 1
    assert kinds(bench.hub).count("login") == logins


@ec_key
def test_another_boards_identity_is_reported_and_nothing_changes(bench):
    bench.boot()
    name, kept = bench.name, credential(bench)
    logins = kinds(bench.hub).count("login")
    bench.configure(deviceName="another-{mac}")
    before = bench.board.read_file("/device_info.json")
    output = bench.boot(until=">>> ")
    assert "[config.other]" in output
    assert f"registered as {PRODUCT}/{name}" in output
    assert "Traceback" not in output
    assert len(bench.hub.requests) == 1
    assert kinds(bench.hub).count("login") == logins
    assert bench.board.read_file("/device_info.json") == before
    assert credential(bench) == kept
    bench.configure()  # its own file back
    check_connected(bench.boot(), registered=False)


@ec_key
def test_a_device_deleted_in_the_console_says_so_and_registers_only_when_told(bench):
    bench.boot()
    kept = credential(bench)
    bench.hub.delete_device(bench.name)
    with bench.board.power_on() as running:
        running.wait_for(re.compile(r"again in (?:9|[1-3]\d)\d\d s"), 60)
        running.write("\x03")
        running.wait_repl()
        output = running.output
        assert "3 times" in output
        assert "Device.forget(confirm=" in output
        assert len(re.findall(r"again in \d+ s", output)) == 3
        assert len(bench.hub.requests) == 1
        assert not bench.hub.devices()
        assert output.count("connect: CONNECT") == 3
        assert len(re.findall(r"\[login\.[45]\]; again in", output)) == 3
        running.write("from hashlib import sha256\r")
        running.write(
            f'sha256(open("{CERT}", "rb").read() + open("{KEY}", "rb").read()).digest().hex()\r'
        )
        running.wait_for(hashlib.sha256(kept[0] + kept[1]).hexdigest())

        running.write("from dynreg import Device\r")
        running.write('Device.forget(confirm="ABCDEFGHIJ")\r')
        running.wait_for("nothing was erased")
        running.write(f'Device.forget(confirm="{PRODUCT}")\r')
        running.wait_for("both copies erased")
        output = running.output
    bench.check_secrets(output)
    check_connected(bench.boot(), registered=True)
    assert len(bench.hub.requests) == 2
    assert credential(bench)[0] != kept[0]
    (device,) = bench.hub.devices()
    assert fingerprint_of(credential(bench)[0]) == device["fingerprint"]


@ec_key
def test_the_product_secret_is_burnt_when_asked(bench):
    before = bench.configure(burnProductSecret=True)
    first = bench.boot()
    check_connected(first, registered=True)
    assert "product secret is off this board" in first
    text = bench.board.read_file("/device_info.json").decode()
    assert bench.hub.product_secret not in text
    after = json.loads(text)
    assert after["productSecret"] == ""
    before.update(productSecret="", cert_deviceinfo=after["cert_deviceinfo"])
    assert after == before
    assert (
        bench.hub.product_secret.encode().hex() not in (bench.board.folder / "nvs.bin").read_text()
    )
    second = bench.boot()
    check_connected(second, registered=False)
    assert "off this board" not in second


@both_keys
def test_a_kicked_session_comes_back_with_its_certificate(bench):
    with bench.board.power_on() as running:
        running.wait_for("heartbeat: sent", 30)
        bench.hub.kick(bench.name)
        bench.hub.wait_for("login", 30, count=2)
        running.wait_for("CONNACK 0", 30)
        topic = f"{PRODUCT}/{bench.name}/control"
        bench.hub.wait_for("subscribe", 10, topic=topic, count=2)
        assert bench.hub.publish(topic, "led on") == 1
        running.wait_for("led on")
        output = running.output
    bench.check_secrets(output)
    assert len(bench.hub.requests) == 1


@ec_key
def test_the_status_on_the_prompt_has_no_secret(bench):
    bench.boot()
    bench.board.write_file("/main.py", "from dynreg import Device\nprint(Device().status())\n")
    output = bench.boot(until=">>> ")
    assert re.search(r"copy 1 +/device_info\.json: good", output)
    assert re.search(r"copy 2 +NVS dynreg/credential: good", output)
    assert re.search(r"credential +CERT, fingerprint [0-9a-f]{8}", output)


# --- a CA of one's own --------------------------------------------------------------------------


def bring(bench, ca, key_type):
    """Puts a certificate of ca and its key on the board, under names of their own."""
    leaf = ca.issue_cert(common_name=PRODUCT + bench.name, key_type=key_type)
    (certificate,) = (pem.bytes() for pem in leaf.cert_chain_pems)
    key = leaf.private_key_pem.bytes()
    bench.board.write_file("/certs/own.pem", certificate)
    bench.board.write_file("/certs/own.key", key)
    bench.configure(
        cert_deviceinfo={"devCertFile": "own.pem", "devPrivateKeyFile": "own.key"},
    )
    return certificate, key


@own_ca
@pytest.mark.parametrize("key_type", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_an_own_certificate_is_registered_and_logs_in(bench, key_type):
    certificate, key = bring(bench, OWN_CA, key_type)
    check_connected(bench.boot(), registered=True)
    body = json.loads(bench.hub.requests[0].partition(b"\r\n\r\n")[2])
    assert body == {
        "ProductId": PRODUCT,
        "DeviceName": bench.name,
        "EncryptionType": 1,
        "ClientCert": certificate.decode(),
    }
    (device,) = bench.hub.devices()
    assert device["fingerprint"] == fingerprint_of(certificate)
    assert device["activated"]
    assert bench.board.read_file("/certs/own.pem") == certificate
    assert bench.board.read_file("/certs/own.key") == key
    assert bench.info()["cert_deviceinfo"]["devCertFile"] == "/certs/own.pem"

    check_connected(bench.boot(), registered=False)
    bench.configure(cert_deviceinfo={"devCertFile": "own.pem", "devPrivateKeyFile": "own.key"})
    check_connected(bench.boot(), registered=False)
    bench.configure()  # without the names: it comes back under the usual ones
    check_connected(bench.boot(), registered=False)
    assert bench.board.read_file(CERT) == certificate
    assert bench.board.read_file(KEY) == key
    assert len(bench.hub.requests) == 1


@own_ca
def test_a_certificate_of_another_ca_is_refused_and_nothing_stored(bench):
    bring(bench, trustme.CA(key_type=trustme.KeyType.ECDSA), trustme.KeyType.ECDSA)
    before = bench.board.read_file("/device_info.json")
    output = bench.boot(until=LATER)
    assert put_off(output) == "register.refused"
    assert "Traceback" not in output
    assert kinds(bench.hub).count("refused") == 1
    assert "login" not in kinds(bench.hub)
    assert bench.board.read_file("/device_info.json") == before
    nvs = bench.board.folder / "nvs.bin"
    assert not nvs.exists() or "credential" not in nvs.read_text()


# --- the wrong mode -----------------------------------------------------------------------------


@pytest.mark.parametrize("hub", [{"auth_mode": "key"}, EC], ids=["key", "cert"], indirect=True)
def test_a_board_in_the_other_mode_stores_nothing(bench):
    bench.configure(auth_mode="CERT" if bench.hub.auth_mode == "key" else "KEY")
    before = bench.board.read_file("/device_info.json")
    output = bench.boot(until=LATER)
    assert put_off(output) == "protocol.payload"
    assert "Traceback" not in output
    assert len(bench.hub.requests) == 1
    assert "login" not in kinds(bench.hub)
    assert bench.board.read_file("/device_info.json") == before
