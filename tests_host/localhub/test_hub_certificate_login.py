"""MQTT logins with client certificates over TLS 1.2 and 1.3; what the data directory keeps."""

import json
import signal
import sqlite3
import ssl
import stat
import time
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
import trustme
from cryptography import x509
from hubclient import (
    PRODUCT_ID,
    Raw,
    credentials,
    decrypt,
    logged_in,
    post,
    register,
    register_certificate,
)
from hubpaho import Paho
from hubpki import Authority, client_context, fingerprint
from test_hub_process import failed, start

from dynreg_tools.hub import Hub, HubError
from tests_host.commands import dynreg
from tests_host.corpus import packets

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ACCEPTED = b"\x20\x02\x00\x00"
PSK = "acyv3QDJrRa0fW5UE58KnQ=="


@pytest.fixture
def hub(start_hub):
    """A hub in certificate mode."""
    return start_hub(auth_mode="cert", device_key="ec")


def username(hub, name="dev-01"):
    """A client id and user name that are good, with a password that nobody looks at."""
    return credentials(hub, name, "")[:2]


def connack(hub, connect, pair=None, *, url=None, version=None):
    """The CONNACK's code, over TLS with this certificate unless `url` is plain."""
    verify = None if url else client_context(hub, pair, version)
    with Raw(url or hub.mqtts, verify) as raw:
        raw.send(connect)
        answer = raw.read(4)
    assert answer[:3] == ACCEPTED[:3]
    return answer[3]


def refused(hub, code, words, connect, pair=None, **kwargs):
    """Check a login that is refused, and its event."""
    before = len([event for event in hub.events if event["event"] == "login_refused"])
    assert connack(hub, connect, pair, **kwargs) == code
    event = hub.wait_for("login_refused", count=before + 1)
    assert event["code"] == code
    assert words in event["reason"]
    assert not any(device["activated"] for device in hub.devices())


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_paho_logs_in(start_hub, kind, version):
    hub = start_hub(auth_mode="cert", device_key=kind)
    pair = register_certificate(hub)
    context = client_context(hub, pair, version)
    with Paho(hub, (*username(hub), "ignored"), context) as device:
        event = hub.wait_for("login", client_id=hub.product_id + "dev-01")
        assert event["client_certificate"] == fingerprint(pair[0])[:8]
        assert event["tls"] == "certificate"
        assert event["first"]
        result = f"$sys/operation/result/{hub.product_id}/dev-01"
        device.client.subscribe(result, 0)
        device.client.publish(
            f"$sys/operation/{hub.product_id}/dev-01", b'{"type":"get","resource":["time"]}'
        )
        assert abs(json.loads(device.wait(device.messages).payload)["time"] - time.time()) < 2
    assert hub.devices()[0]["activated"]
    assert post(hub)["Error"]["Message"] == "device has been activated"
    assert connack(hub, packets.connect(*username(hub)), pair) == 0  # no password at all
    assert not hub.wait_for("login", count=2)["first"]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_refused_certificates(hub, version):
    old, new = register_certificate(hub), register_certificate(hub)
    other = register_certificate(hub, "dev-02")
    good = packets.connect(*username(hub), "any")
    key_login = packets.connect(*credentials(hub, "dev-01", PSK))
    refused(hub, 5, "latest", good, old, version=version)
    refused(hub, 5, "latest", good, other, version=version)
    refused(hub, 5, "no client certificate", good, version=version)
    refused(hub, 5, "no client certificate", key_login, version=version)
    refused(hub, 5, "TLS only", good, url=hub.mqtt)
    refused(hub, 5, "TLS only", key_login, url=hub.mqtt)
    assert not [event for event in hub.events if event["event"] == "tls_failed"]
    assert connack(hub, good, new, version=version) == 0
    assert [device["activated"] for device in hub.devices()] == [True, False]


def test_refused_user_names(hub):
    hub.add_device("empty")
    pair = register_certificate(hub)
    client_id, good = username(hub)
    other = credentials(hub, "dev-02", "")[1]
    past = credentials(hub, "dev-01", "", expiry=int(time.time()) - 1)[1]
    refused(hub, 4, "username is missing", packets.connect(client_id), pair)
    refused(hub, 4, "username is not", packets.connect(client_id, "x", "y"), pair)
    refused(hub, 4, "begin with", packets.connect(client_id, other), pair)
    refused(hub, 4, "expired", packets.connect(client_id, past), pair)
    refused(hub, 4, "connid", packets.connect(client_id, good.replace("a1B2c", "a1B2")), pair)
    refused(hub, 5, "not registered", packets.connect(*username(hub, "empty")), pair)
    refused(hub, 5, "no such device", packets.connect(*username(hub, "nobody")), pair)
    refused(hub, 2, "client id", packets.connect("FOREIGN0", good), pair)
    refused(hub, 1, "level", packets.connect(client_id, good, level=3), pair)


def handshake_fails(hub, pair, version, alert, words):
    """Check that the client is told by an alert, and the event by OpenSSL's words."""
    count = 1 + sum(event["event"] == "tls_failed" for event in hub.events)
    with (
        pytest.raises(ssl.SSLError, match=alert),
        Raw(hub.mqtts, client_context(hub, pair, version)) as raw,
    ):
        raw.send(packets.connect(*username(hub)))
        raw.read(1)  # where TLS 1.3 tells
    event = hub.wait_for("tls_failed", port="mqtts", count=count)
    assert event["reason"] == f"CERTIFICATE_VERIFY_FAILED: {words}"
    assert not [event for event in hub.events if event["event"].startswith("login")]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_foreign_certificates(hub, version):
    register_certificate(hub)
    directory = hub.ca_pem.parent
    device_ca = x509.load_pem_x509_certificate((directory / "device_ca.pem").read_bytes())
    [_, name] = device_ca.subject
    unknown, rooted = (
        "unable to get local issuer certificate",
        "self-signed certificate in certificate chain",  # which OpenSSL's client completes
    )
    foreign = Authority(name.value).issue(hub.product_id + "dev-01")
    handshake_fails(hub, foreign, version, "ALERT_UNKNOWN_CA", unknown)
    server_ca = trustme.CA.from_pem(
        hub.ca_pem.read_bytes(), (directory / "ca_key.pem").read_bytes()
    )
    leaf = server_ca.issue_cert("dev-01")
    pair = (leaf.cert_chain_pems[0].bytes().decode(), leaf.private_key_pem.bytes().decode())
    handshake_fails(hub, pair, version, "ALERT_UNKNOWN_CA", rooted)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_own_ca_logs_in(start_hub, version):
    authority = Authority()
    hub = start_hub(own_ca=authority.pem.encode())
    pair, spare = authority.issue(), authority.issue()
    assert decrypt(hub.product_secret, post(hub, more={"clientCert": pair[0]})) == {
        "encryptionType": 1
    }
    expired = authority.issue(days=(-2, -0.001))
    handshake_fails(hub, expired, version, "ALERT_CERTIFICATE_EXPIRED", "certificate has expired")
    foreign_ca = Authority("Foreign CA").issue()
    handshake_fails(
        hub, foreign_ca, version, "ALERT_UNKNOWN_CA", "unable to get local issuer certificate"
    )
    login = packets.connect(*username(hub))
    refused(hub, 5, "latest", login, spare, version=version)
    with Paho(hub, (*username(hub), ""), client_context(hub, pair, version)):
        event = hub.wait_for("login")
        assert event["client_certificate"] == fingerprint(pair[0])[:8]


def test_new_certificate_after_deletion(hub):
    old = register_certificate(hub)
    login = packets.connect(*username(hub))
    assert connack(hub, login, old) == 0
    hub.delete_device("dev-01")
    refused(hub, 5, "no such device", login, old)
    new = register_certificate(hub)
    refused(hub, 5, "latest", login, old)
    assert connack(hub, login, new) == 0
    assert hub.wait_for("login", count=2)["first"]


def test_key_devices_are_as_before(start_hub):
    hub = start_hub()
    assert hub.auth_mode == "key"
    psk = register(hub)
    pair = Authority("Foreign CA").issue()  # nobody asks for it
    login = packets.connect(*credentials(hub, "dev-01", psk))
    for number, (url, shown) in enumerate(((hub.mqtt, None), (None, None), (None, pair)), 1):
        assert connack(hub, login, shown, url=url) == 0
        assert hub.wait_for("login", count=number)["client_certificate"] is None
    assert not (hub.ca_pem.parent / "device_ca.pem").exists()


def test_gateway_asks_for_no_certificate(hub):
    pair = Authority("Foreign CA").issue()
    port = urlsplit(hub.https).netloc
    with Raw(f"x://{port}", client_context(hub, pair, TLS12)) as raw:
        raw.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert raw.ended().startswith(b"HTTP/1.1 404")


def test_exchanged_ca_and_back(hub):
    pair = register_certificate(hub)
    hub.exchange_ca()
    with pytest.raises(ssl.SSLCertVerificationError):
        Raw(hub.mqtts, client_context(hub, pair))
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(hub.https, verify=hub.ca_pem, timeout=5)
    hub.restore_ca()
    assert connack(hub, packets.connect(*username(hub)), pair) == 0


def test_any_failed_handshake_is_reported_by_an_alert(hub):
    context = client_context(hub, version=TLS12)
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the server's key is EC
    with pytest.raises(ssl.SSLError, match="ALERT_HANDSHAKE_FAILURE"):
        Raw(hub.mqtts, context)
    assert hub.wait_for("tls_failed", port="mqtts")["reason"] == "NO_SHARED_CIPHER"


# What --data keeps.


def test_everything_survives_a_restart(tmp_path):
    options = {"cert_key": "ec", "device_key": "ec"}
    with Hub(tmp_path, product_id=PRODUCT_ID, auth_mode="cert", **options) as first:
        pair = register_certificate(first)
        waiting = register_certificate(first, "dev-02")
        assert connack(first, packets.connect(*username(first)), pair) == 0
        devices = first.devices()
    names = {"hub.db", "ca.pem", "ca.der", "ca_key.pem", "device_ca.pem", "device_ca_key.pem"}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes) == names
    private = {name for name, mode in modes.items() if mode == 0o600}
    assert private == names
    authority = (tmp_path / "device_ca.pem").read_bytes()
    own = Authority()
    with Hub(tmp_path, **options) as second:
        assert (second.auth_mode, second.devices()) == ("cert", devices)
        assert (tmp_path / "device_ca.pem").read_bytes() == authority
        assert post(second)["Error"]["Message"] == "device has been activated"
        assert connack(second, packets.connect(*username(second)), pair) == 0
        assert connack(second, packets.connect(*username(second, "dev-02")), waiting) == 0
        assert second.wait_for("login", count=2)["first"]
        third_device = load_issuer(register_certificate(second, "dev-03")[0])
        assert third_device == load_issuer(pair[0])
    own_pair = own.issue()
    with Hub(tmp_path, product_id="OWN", own_ca=own.pem.encode(), **options) as third:
        assert third.auth_mode == "cert"
        assert "Payload" in post(third, "d", more={"clientCert": own_pair[0]})
    with Hub(tmp_path, product_id="KEY", **options) as fourth:
        assert fourth.auth_mode == "key"
        # The other products of the directory stay alive.
        for product_id, name, shown in ((PRODUCT_ID, "dev-01", pair), ("OWN", "d", own_pair)):
            other = SimpleNamespace(
                product_id=product_id, mqtts=fourth.mqtts, ca_pem=fourth.ca_pem
            )
            assert connack(other, packets.connect(*username(other, name)), shown) == 0
        logged_in(fourth, "d").socket.close()
    with Hub(tmp_path, product_id="OWN", auth_mode="cert", **options) as fifth:
        assert connack(fifth, packets.connect(*username(fifth, "d")), own_pair) == 0
        assert "ClientCert is missing" in post(fifth, "e")["Error"]["Message"]


def load_issuer(certificate):
    issuer = x509.load_pem_x509_certificate(certificate.encode()).extensions
    return issuer.get_extension_for_class(x509.AuthorityKeyIdentifier).value


def test_auth_mode_changes_only_without_registered_devices(tmp_path):
    options = {"cert_key": "ec", "device_key": "ec"}
    with Hub(tmp_path, devices=["made"], **options) as hub:
        assert hub.auth_mode == "key"
    own = Authority().pem.encode()
    for given, mode in (({"own_ca": own}, "cert"), ({"auth_mode": "key"}, "key")):
        with Hub(tmp_path, **given, **options) as hub:
            assert hub.auth_mode == hub.devices()[0]["mode"] == mode
    with Hub(tmp_path, auth_mode="cert", **options) as hub:
        register_certificate(hub, "made")  # the own CA is forgotten
    with pytest.raises(HubError, match="registered in auth mode cert"):
        Hub(tmp_path, auth_mode="key", **options).start()
    with Hub(tmp_path, product_id="OTHER", **options) as hub:
        register(hub)
    for given in ({"auth_mode": "cert"}, {"own_ca": own}):
        with pytest.raises(HubError, match="registered in auth mode key"):
            Hub(tmp_path, **given, **options).start()


def test_data_of_an_earlier_hub(tmp_path):
    with closing(sqlite3.connect(tmp_path / "hub.db")) as db:
        db.executescript(
            "CREATE TABLE products (id TEXT PRIMARY KEY, secret TEXT NOT NULL, made_here INTEGER"
            " NOT NULL, register_type INTEGER NOT NULL, register_limit INTEGER NOT NULL, used REAL"
            " NOT NULL); CREATE TABLE devices (product_id TEXT NOT NULL REFERENCES products (id),"
            " name TEXT NOT NULL, psk TEXT, automatic INTEGER NOT NULL, activated INTEGER NOT NULL"
            " DEFAULT 0, created INTEGER NOT NULL, PRIMARY KEY (product_id, name));"
            " INSERT INTO products VALUES ('OLD', 'xxxxxxxxxxxxxxxxxxxxxxxx', 1, 2, 9, 1.0);"
            f" INSERT INTO devices VALUES ('OLD', 'd', '{PSK}', 1, 0, 7);"
        )
    with Hub(tmp_path, cert_key="ec") as hub:
        assert (hub.product_id, hub.auth_mode, hub.made_secret) == ("OLD", "key", True)
        [device] = hub.devices()
        assert (device["psk"], device["fingerprint"], device["created"]) == (PSK, None, 7)
        logged_in(hub, "d", PSK).socket.close()


# The own CA's file, and the command line.


def own_ca_cases(folder):
    usage = x509.KeyUsage(True, *[False] * 8)
    good = Authority()
    cases = {
        "nothing": (None, "cannot read the own CA"),
        "empty": ("", "not one certificate"),
        "two": (good.pem * 2, "not one certificate"),
        "leaf": (good.issue()[0], "not the certificate of a CA"),
        "old": (Authority(ca=None).pem, "not the certificate of a CA"),
        "usage": (Authority(usage=usage).pem, "not the certificate of a CA"),
        "expired": (Authority(days=(-2, -1)).pem, "has expired"),
        "early": (Authority(days=(1, 2)).pem, "not valid yet"),
    }
    for name, (text, _) in cases.items():
        if text is not None:
            (folder / name).write_text(text)
    return [(folder / name, words) for name, (_, words) in cases.items()]


def test_own_ca_files(tmp_path):
    for path, words in own_ca_cases(tmp_path):
        with pytest.raises(HubError, match=words) as caught:
            Hub(own_ca=path)
        assert str(path) in str(caught.value)
        if path.exists():
            with pytest.raises(HubError, match=words):
                Hub(own_ca=path.read_bytes())


@pytest.mark.process
def test_command_line(tmp_path):
    args = ["--data", str(tmp_path), "--auth-mode", "cert", "--device-key", "ec"]
    with start(*args) as process:
        ready = json.loads(process.stdout.readline())
        assert ready["auth_mode"] == "cert"
        hub = SimpleNamespace(**ready)
        pair = register_certificate(hub)
        assert "BEGIN EC PRIVATE KEY" in pair[1]
        assert connack(hub, packets.connect(*username(hub)), pair) == 0
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    login = [json.loads(line) for line in output.splitlines()][1]
    assert login["event"] == "login"
    assert login["client_certificate"] == fingerprint(pair[0])[:8]
    assert "PRIVATE" not in output
    assert pair[1].splitlines()[1] not in output
    authority = Authority()
    (tmp_path / "own.pem").write_text(authority.pem)
    args = ["--data", str(tmp_path), "--product-id", "OWN", "--own-ca", str(tmp_path / "own.pem")]
    with start(*args, DYNREG_PRODUCT_SECRET="x" * 24) as process:
        ready = json.loads(process.stdout.readline())
        assert ready["auth_mode"] == "cert"
        hub = SimpleNamespace(**ready, product_secret="x" * 24)
        response = post(hub, more={"clientCert": authority.issue()[0]})
        assert decrypt(hub.product_secret, response) == {"encryptionType": 1}


def test_command_line_errors(tmp_path):
    missing, (empty, _) = str(tmp_path / "nothing"), own_ca_cases(tmp_path)[1]
    cases = [
        (["--own-ca", missing], f"cannot read the own CA {missing}: No such file"),
        (["--own-ca", str(empty)], f"the own CA {empty} is not one certificate in PEM"),
        (["--own-ca", str(empty), "--auth-mode", "key"], "an own CA is for products in auth mode"),
    ]
    for args, message in cases:
        code, errors = failed(*args)
        assert code == 1
        assert errors.startswith("dynreg: " + message)
        assert errors.count("\n") == 1
    for args in (["--auth-mode", "psk"], ["--device-key", "dsa"], ["--own-ca"]):
        code, errors = failed(*args)
        assert code == 2
        assert errors.startswith("usage: dynreg hub ")
    text = dynreg("hub", "--help").out
    for option in ("--auth-mode {key,cert}", "--own-ca FILE", "--device-key {rsa,ec}"):
        assert option in text
