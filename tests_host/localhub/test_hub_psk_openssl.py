"""TLS-PSK beside certificates on the mqtts port, with OpenSSL's own client."""

import base64
import re
import ssl
import subprocess
import sys

import pytest
import test_hub_psk
from hubclient import Raw, credentials
from test_hub_psk import (
    ACCEPTED,
    NO_PSK,
    OTHER,
    PSK_LOGIN,
    SECRET,
    UNKNOWN,
    WRONG_KEY,
    needs_openssl,
)

from tests_host.corpus import packets

hub = test_hub_psk.hub  # the fixture: dev-01 and dev-02, whose secrets are known

pytestmark = pytest.mark.process


def s_client(hub, *args, identity=None, secret=SECRET, password=True):
    """What `openssl s_client` prints; logs in as dev-01 and disconnects at once."""
    parts = credentials(hub, "dev-01", SECRET)
    login = packets.connect(*(parts if password else parts[:2])) + b"\xe0\0"
    identity = identity or (hub.product_id + "dev-01").encode()
    key = base64.b64decode(secret).hex()
    address = hub.mqtts.removeprefix("mqtts://")
    options = ["-ign_eof", "-CAfile", str(hub.ca_pem), "-psk", key, "-psk_identity", identity]
    run = subprocess.run(
        ["openssl", "s_client", "-connect", address, *options, *args],
        input=login,
        capture_output=True,
        timeout=20,
    )
    return (run.stdout + run.stderr).decode(errors="replace")


TLS12_PSK = ("-tls1_2", "-cipher", "PSK-AES256-CBC-SHA:PSK-AES128-CBC-SHA")


@needs_openssl
def test_openssl_logs_in(hub):
    output = s_client(hub, *TLS12_PSK)
    assert "Cipher is PSK-AES" in output
    assert "no peer certificate" in output
    assert hub.wait_for("login")["tls"] == "psk"


@needs_openssl
def test_a_psk_login_needs_no_password(hub):
    """As the vendor documents it: a user name, and no Password field."""
    s_client(hub, *TLS12_PSK, password=False)
    assert hub.wait_for("login")["tls"] == "psk"
    s_client(hub, *TLS12_PSK)
    assert hub.wait_for("login", count=2)["tls"] == "psk"


def test_without_psk_a_password_is_needed(hub):
    with Raw(hub.mqtts, hub.ca_pem) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", SECRET)[:2]))
        assert raw.read(4) == b"\x20\x02\x00\x04"
    assert hub.wait_for("login_refused")["reason"] == "password is missing"


@needs_openssl
@pytest.mark.parametrize(("fault", "password"), list(zip(PSK_LOGIN, (True, False), strict=True)))
def test_faults_of_the_password(hub, fault, password):
    hub.fault(fault)
    s_client(hub, *TLS12_PSK, password=password)
    assert hub.wait_for("login_refused")["code"] == 4
    s_client(hub, *TLS12_PSK, password=not password)
    assert hub.wait_for("login")["tls"] == "psk"
    with Raw(hub.mqtts, hub.ca_pem) as raw:  # by certificate it goes on as ever
        raw.send(packets.connect(*credentials(hub, "dev-01", SECRET)))
        assert raw.read(4) == ACCEPTED


# What mbedTLS on an ESP32 offers beside plain PSK, in its order: those with a certificate or a
# key exchange of their own come first.
OTHER_PSK = "ECDHE-PSK-AES256-CBC-SHA:DHE-PSK-AES256-CBC-SHA:RSA-PSK-AES256-CBC-SHA"


@needs_openssl
def test_other_kinds_of_psk_beside_plain_psk(hub):
    ciphers = f"{OTHER_PSK}:PSK-AES256-CBC-SHA:PSK-AES128-CBC-SHA:@SECLEVEL=0"
    output = s_client(hub, "-tls1_2", "-cipher", ciphers, "-msg", password=False)
    hello = re.search(r">>> TLS 1\.2, Handshake [^\n]*ClientHello\n((?: +[0-9a-f ]+\n)+)", output)
    offered = "".join(hello[1].split())
    for suite in ("c036", "0091", "0095", "008d", "008c"):  # ECDHE-, DHE-, RSA-PSK; plain PSK
        assert suite in offered, suite
    assert "Cipher is PSK-AES" in output
    assert hub.wait_for("login")["tls"] == "psk"


@needs_openssl
def test_other_kinds_of_psk_alone_are_not_taken(hub):
    output = s_client(hub, "-tls1_2", "-cipher", f"{OTHER_PSK}:@SECLEVEL=0")
    assert "handshake failure" in output
    assert hub.wait_for("tls_failed")["reason"] == NO_PSK


@needs_openssl
def test_alerts(hub):
    assert "alert unknown psk identity" in s_client(hub, *TLS12_PSK, identity=b"dev-01")
    assert hub.wait_for("tls_failed")["reason"] == UNKNOWN
    assert "alert bad record mac" in s_client(hub, *TLS12_PSK, secret=OTHER)
    assert hub.wait_for("tls_failed", count=2)["reason"] == WRONG_KEY


@needs_openssl
def test_identity_that_is_not_utf8(hub, monkeypatch):
    caught = []
    monkeypatch.setattr(sys, "unraisablehook", caught.append)
    output = s_client(hub, *TLS12_PSK, identity=b"\xff\xfe" + hub.product_id.encode())
    assert "alert unknown psk identity" in output
    assert hub.wait_for("tls_failed")["reason"].startswith("PSK_IDENTITY_NOT_FOUND")
    assert not caught or hasattr(ssl, "HAS_PSK")  # Python's own ssl does not catch it


@needs_openssl
def test_client_with_both_kinds_gets_the_certificate(hub):
    output = s_client(hub, "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA:ECDHE+AESGCM")
    assert "Cipher is ECDHE" in output
    assert "Verify return code: 0 (ok)" in output
    assert hub.wait_for("login")["tls"] == "certificate"


@needs_openssl
@pytest.mark.parametrize("retry", [False, True])
def test_no_psk_in_tls_1_3(hub, retry):
    """Not after a HelloRetryRequest either: then OpenSSL knows more when it asks for the key."""
    hub._server.own_contexts["mqtts"].set_ecdh_curve("prime256v1")
    groups = "X25519:P-256" if retry else "P-256"
    suites = ("-ciphersuites", "TLS_AES_128_GCM_SHA256")
    output = s_client(hub, *suites, "-groups", groups, "-msg")
    assert "TLSv1.3" in output
    assert "BEGIN CERTIFICATE" in output
    assert output.count(", ClientHello") == 1 + retry
    assert "NewSessionTicket" not in output  # it would come back as a PSK identity
    assert hub.wait_for("login")["tls"] == "certificate"


@needs_openssl
def test_no_resumption(hub, tmp_path):
    """A session outlives its key, so it must not let anybody in."""
    saved = str(tmp_path / "session")
    assert "session ticket" not in s_client(hub, *TLS12_PSK, "-sess_out", saved)
    assert hub.wait_for("login")
    hub.delete_device("dev-01")
    hub.add_device("dev-01", SECRET)
    assert "Reused, " in s_client(hub, *TLS12_PSK, "-sess_in", saved)
    event = hub.wait_for("login_refused")
    assert (event["code"], event["reason"]) == (5, "a resumed TLS-PSK session is not accepted")
