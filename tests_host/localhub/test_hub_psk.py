"""TLS-PSK beside certificates on the mqtts port, with real MicroPython and OpenSSL's s_client."""

import _ssl
import base64
import json
import shutil
import signal
import ssl
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from hubclient import PRODUCT_ID, Raw, credentials, register, register_certificate
from hubpaho import Paho
from hubpki import client_context
from test_hub_process import start

from dynreg_tools.hub import Hub
from dynreg_tools.hub.tls import psk
from dynreg_tools.hub.tls.context import server_context
from tests_host.commands import dynreg
from tests_host.corpus import packets

DEVICE = Path(__file__).with_name("micropython_device.py")
SUITES = ["TLS-PSK-WITH-AES-128-CBC-SHA", "TLS-PSK-WITH-AES-256-CBC-SHA"]
FATAL_ALERT = "OSError(-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"
UNKNOWN = "PSK_IDENTITY_NOT_FOUND: the PSK identity is of no device that has a key"
WRONG_KEY = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC: is the client's PSK the device's?"
NO_PSK = "NO_SHARED_CIPHER"
PSK_LOGIN = ("psk-password-refused", "psk-password-wanted")
SECRET = "acyv3QDJrRa0fW5UE58KnQ=="
OTHER = "AAAAAAAAAAAAAAAAAAAAAA=="
ACCEPTED = b"\x20\x02\x00\x00"
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")

pytestmark = pytest.mark.process


@pytest.fixture
def hub(start_hub):
    """A hub with dev-01 and dev-02, whose secrets are known, and with a device without one."""
    hub = start_hub(devices=["empty"])
    hub.add_device("dev-01", SECRET)
    hub.add_device("dev-02", OTHER)
    yield hub
    text = json.dumps(hub.events)
    assert base64.b64decode(SECRET).hex() not in text.lower()


def micropython(hub, name="dev-01", secret=SECRET, **changes):
    """What micropython_device.py saw; over PSK with the device's own data unless changed."""
    given = {
        "port": int(hub.mqtts.rpartition(":")[2]),
        "login": credentials(hub, name, secret),
        "own": f"{hub.product_id}/{name}",
        "identity": hub.product_id + name,
        "key": base64.b64decode(secret).hex(),
        **changes,
    }
    found = shutil.which("micropython", path=sysconfig.get_path("scripts"))
    if not found and sys.platform == "win32":
        pytest.skip("there is no MicroPython for Windows on PyPI")
    run = subprocess.run(
        [found, DEVICE], input=json.dumps(given), capture_output=True, text=True, timeout=20
    )
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


def works(hub, *args, **kwargs):
    """Check a whole login over PSK with a time answer."""
    count = 1 + sum(event["event"] == "login" for event in hub.events)
    seen = micropython(hub, *args, **kwargs)
    assert seen["connack"] == 0
    assert abs(seen["time"] - time.time()) < 2
    assert seen["cipher"] in SUITES
    event = hub.wait_for("login", count=count)
    assert (event["tls"], event["client_certificate"]) == ("psk", None)
    return seen


def fails(hub, reason, *args, **kwargs):
    """Check a handshake that fails, told by an alert and in an event, before any login."""
    count = 1 + sum(event["event"] == "tls_failed" for event in hub.events)
    logins = [event for event in hub.events if event["event"].startswith("login")]
    assert micropython(hub, *args, **kwargs) == {"error": FATAL_ALERT}
    event = hub.wait_for("tls_failed", count=count)
    assert (event["port"], event["reason"]) == ("mqtts", reason)
    assert logins == [event for event in hub.events if event["event"].startswith("login")]


def test_this_python_can(hub):
    """Which it must on every Python that offers a way; else all tests below would say nothing."""
    by_ctypes = sys.platform != "win32" and hasattr(_ssl, "__file__")
    assert hub.psk is (ssl.HAS_PSK if hasattr(ssl, "HAS_PSK") else by_ctypes)


@pytest.mark.parametrize("suite", SUITES)
def test_micropython_logs_in(hub, suite):
    assert works(hub, ciphers=[suite])["cipher"] == suite
    assert hub.wait_for("time_answered", client_id=hub.product_id + "dev-01")
    assert hub.wait_for("login")["first"]
    assert not [event for event in hub.events if event["event"] == "tls_failed"]


def test_micropython_needs_no_cipher_list(hub):
    works(hub)


def test_wrong_key(hub):
    fails(hub, WRONG_KEY, key=base64.b64decode(OTHER).hex())
    fails(hub, WRONG_KEY, key=SECRET.encode().hex())  # the secret as it is, not decoded
    assert not any(device["activated"] for device in hub.devices())


@pytest.mark.parametrize("identity", ["dev-01", "FOREIGN0dev-01", "{}empty", "{}nobody", "'; --"])
def test_unknown_identity(hub, identity):
    fails(hub, UNKNOWN, identity=identity.format(hub.product_id))


def test_suites_of_other_kinds_are_not_offered(hub):
    fails(hub, NO_PSK, ciphers=["TLS-PSK-WITH-AES-128-GCM-SHA256"])


def test_gateway_takes_no_psk(hub):
    port = int(hub.https.rpartition(":")[2])
    assert micropython(hub, port=port) == {"error": FATAL_ALERT}
    assert hub.wait_for("tls_failed", port="https")["reason"] == NO_PSK


def test_key_that_is_too_long_for_openssl(hub):
    """Which is no reason to write past OpenSSL's buffer."""
    hub.add_device("long", base64.b64encode(bytes(5000)).decode())
    assert micropython(hub, identity=hub.product_id + "long") == {"error": FATAL_ALERT}
    assert hub.wait_for("tls_failed")["reason"].startswith("PSK_IDENTITY_NOT_FOUND")
    works(hub)


def test_identity_of_another_device(hub):
    seen = micropython(hub, identity=hub.product_id + "dev-02", key=base64.b64decode(OTHER).hex())
    assert seen["connack"] == 5
    event = hub.wait_for("login_refused")
    assert event["reason"] == "the TLS-PSK identity is not the client id"
    assert (event["code"], event["client_id"]) == (5, hub.product_id + "dev-01")
    assert not any(device["activated"] for device in hub.devices())


def test_handshakes_at_the_same_time(hub):
    """Each connection has its own identity, which the login compares."""
    names = [f"same-time-{number}" for number in range(6)]
    secrets = [base64.b64encode(bytes([number]) * 16).decode() for number in range(1, 7)]
    for name, secret in zip(names, secrets, strict=True):
        hub.add_device(name, secret)
    with ThreadPoolExecutor(len(names)) as pool:
        seen = list(pool.map(partial(micropython, hub), names, secrets))
    assert [one["connack"] for one in seen] == [0] * len(names)
    assert hub._server.own_contexts["mqtts"].handshaking is None


def test_user_name_and_password_are_still_checked(hub):
    client_id, username, password = credentials(hub, "dev-01", SECRET)
    wrong = credentials(hub, "dev-01", OTHER)[2]
    for login, words in (
        ((client_id, username, wrong), "signature"),
        ((client_id, username.replace("12010126", "x"), password), "username"),
    ):
        assert micropython(hub, login=login)["connack"] == 4
        assert words in [e for e in hub.events if e["event"] == "login_refused"][-1]["reason"]


def test_registering_again_exchanges_the_key(start_hub):
    hub = start_hub()
    old, new = register(hub), register(hub)
    fails(hub, WRONG_KEY, secret=old)
    works(hub, secret=new)
    hub.delete_device("dev-01")
    fails(hub, UNKNOWN, secret=new)
    newest = register(hub)
    fails(hub, WRONG_KEY, secret=new)
    works(hub, secret=newest)


def test_certificate_clients_on_the_same_port(hub):
    works(hub)
    login = credentials(hub, "dev-01", SECRET)
    for number, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), 2):
        with Paho(hub, login, client_context(hub, version=version)):
            assert hub.wait_for("login", count=number)["tls"] == "certificate"
    seen = micropython(hub, ca=str(hub.ca_der))
    assert seen["connack"] == 0
    assert "ECDHE" in seen["cipher"]
    assert hub.wait_for("login", count=4)["tls"] == "certificate"
    works(hub)


def test_exchanged_ca_is_nothing_to_psk(hub):
    hub.exchange_ca()
    works(hub)
    with pytest.raises(ssl.SSLCertVerificationError):
        Raw(hub.mqtts, hub.ca_pem)
    hub.restore_ca()
    works(hub)


def test_certificate_devices_have_no_psk(tmp_path):
    options = {"cert_key": "ec", "device_key": "ec"}
    with Hub(tmp_path, product_id="KEY", **options) as first:
        secret = register(first)
    with Hub(tmp_path, product_id="CERT", auth_mode="cert", **options) as hub:
        pair = register_certificate(hub)
        fails(hub, UNKNOWN)
        hub._call(hub._server.store.add_device, "CERT", "odd", SECRET)
        fails(hub, UNKNOWN, "odd")
        works(SimpleNamespace(product_id="KEY", **shared(hub)), secret=secret)
        with Raw(hub.mqtts, client_context(hub, pair, ssl.TLSVersion.TLSv1_2)) as raw:
            raw.send(packets.connect(*credentials(hub, "dev-01", SECRET)[:2]))
            assert raw.read(4) == ACCEPTED
        assert hub.wait_for("login", count=2)["tls"] == "certificate"


def shared(hub):
    """What a device of the hub's other product needs of it."""
    return {"mqtts": hub.mqtts, "events": hub.events, "wait_for": hub.wait_for}


# Switched off, or not to be had.


def without_psk(hub):
    assert hub.psk is False
    contexts = hub._server.own_contexts
    assert contexts["mqtts"].get_ciphers() == contexts["https"].get_ciphers()
    psk_of_it = register(hub)
    fails(hub, NO_PSK, secret=psk_of_it)
    with Raw(hub.mqtts, hub.ca_pem) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", psk_of_it)))
        assert raw.read(4) == ACCEPTED
    assert hub.wait_for("login")["tls"] == "certificate"


def test_switched_off(start_hub):
    without_psk(start_hub(psk=False))


class Libssl:
    """In place of libssl, one that another interpreter than this one uses."""

    def __init__(self, path):
        self.SSL_CTX_get_options = lambda pointer: 1
        self.SSL_version = lambda pointer: 0x0303
        self.SSL_CTX_set_psk_server_callback = pytest.fail
        self.OpenSSL_version = lambda number: ssl.OPENSSL_VERSION.encode()


class OtherLibssl(Libssl):
    """In place of libssl, that of another OpenSSL: its structs may be others."""

    def __init__(self, path):
        super().__init__(path)
        self.SSL_CTX_get_options = pytest.fail
        self.OpenSSL_version = lambda number: b"OpenSSL 1.1.0 25 Aug 2016"


GUARDS = [
    (psk.sys, "implementation", SimpleNamespace(**{**vars(sys.implementation), "name": "pypy"})),
    (psk, "_KNOWN_RELEASES", ()),
    (psk, "_KNOWN_SIZE", 1),
    (psk, "_KNOWN_HEAD", 8),
    (psk._ssl, "__file__", "/nowhere"),
    (psk._ssl, "__file__", None),
    (psk.ctypes, "CDLL", Libssl),
    (psk.ctypes, "CDLL", OtherLibssl),
]
if hasattr(ssl, "HAS_PSK"):
    GUARDS = [(ssl, "HAS_PSK", False)]
NAMES = [f"{name} {number}" for number, (_, name, _) in enumerate(GUARDS)]


@pytest.mark.parametrize(
    "guard", [*GUARDS, (psk, "SUITES", ("PSK-NONE",))], ids=[*NAMES, "suites"]
)
def test_a_python_that_cannot(start_hub, monkeypatch, guard):
    monkeypatch.setattr(*guard)
    without_psk(start_hub())


def test_the_command_says_where_there_is_none(monkeypatch):
    given = ("hub", "--cert-key", "ec", "--stop-after", "0")
    assert dynreg(*given).err == ""
    monkeypatch.setattr(psk, "SUITES", ("PSK-NONE",))
    assert dynreg(*given).err == "dynreg: no TLS-PSK here: Python 3.13 and later have it\n"
    assert dynreg(*given, "--no-psk").err == ""


def test_a_built_in_ssl_module(start_hub, monkeypatch):
    if hasattr(ssl, "HAS_PSK"):
        pytest.skip("this Python's own ssl does it")
    monkeypatch.delattr(psk._ssl, "__file__")
    without_psk(start_hub())


def test_ordinary_suites_stay():
    certificate = trustme.CA().issue_cert("localhost")
    plain, both = server_context(certificate), server_context(certificate, key_of=lambda _: None)
    assert both.psk
    assert not plain.psk
    names = [[suite["name"] for suite in context.get_ciphers()] for context in (plain, both)]
    ordinary = [name for name in names[0] if "PSK" not in name]
    assert any("ECDHE" in name for name in ordinary)
    assert "TLS_AES_256_GCM_SHA384" in ordinary
    assert names[1] == [*ordinary, "PSK-AES128-CBC-SHA", "PSK-AES256-CBC-SHA"]
    assert plain.security_level == both.security_level


def test_defect_in_the_lookup_is_reported(monkeypatch):
    with pytest.raises(ZeroDivisionError), Hub(cert_key="ec") as hub:
        monkeypatch.setattr(hub._server.store, "device_by_client_id", lambda _: 1 // 0)
        micropython(hub)
        assert hub.wait_for("internal_error")["error"] == "ZeroDivisionError"


def test_command_line(tmp_path):
    secret = None
    for args, offered in (([], True), (["--no-psk"], False)):
        with start("--data", str(tmp_path), "--product-id", PRODUCT_ID, *args) as process:
            ready = json.loads(process.stdout.readline())
            assert ready["psk"] is offered
            hub = SimpleNamespace(**ready)
            secret = secret or register(hub)
            seen = micropython(hub, secret=secret)
            assert seen.get("connack") == (0 if offered else None)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")
        words = ['"event": "login"', '"tls": "psk"'] if offered else [NO_PSK]
        assert all(word in output for word in words)
        assert secret not in output
        assert base64.b64decode(secret).hex() not in output
