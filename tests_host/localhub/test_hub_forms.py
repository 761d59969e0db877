"""Forms that the cloud takes: by default the hub takes each, and refuses it where it is strict.

They are those of the vendor's own SDKs (docs/protocol.md, section 7a).
"""

import base64
import hmac
import json
import socket
import ssl
import time

import pytest
import requests
from cryptography import x509
from hubclient import Raw, credentials, decrypt, post, register_certificate, signed
from hubpki import client_context

from dynreg_tools.hub import Hub, HubError
from dynreg_tools.hub.http.registration import REFUSALS
from dynreg_tools.hub.tls.certificates import is_identity
from tests_host.corpus import packets

C_SDK_TIME = 1609430400
PSK = "acyv3QDJrRa0fW5UE58KnQ=="
OLD = {"name": "MQIsdp", "level": 3}
strictness = pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])


@pytest.fixture
def forms(start_hub, strict):
    """A hub, strict or not, with dev-01, whose secret is known."""
    hub = start_hub(strict=strict)
    hub.add_device("dev-01", PSK)
    return hub


def answer(hub, data, url=None, context=None):
    """All that comes for a CONNECT and a PINGREQ behind it."""
    with Raw(url or hub.mqtt, context) as raw:
        raw.send(data + packets.PINGREQ + packets.DISCONNECT)
        return raw.ended()


TAKEN = packets.CONNACK + packets.PINGRESP


def refused(code):
    return packets.connack(code) if code is not None else b""


@strictness
@pytest.mark.parametrize(
    ("form", "code", "words"),
    [
        ({"packet": OLD}, 1, "protocol is MQIsdp level 3"),
        ({"app_id": "21010406"}, 4, "app id"),
        ({"app_id": "1"}, 4, "app id"),
        ({"method": "sha1"}, 4, "password does not end in ;hmacsha256"),
        ({"packet": {"flags": 0xC0}}, None, "session"),
        # the Python SDK: MQTT 3.1, its app id, milliseconds for an expiry
        ({"packet": OLD, "app_id": "21010406", "method": "sha1", "expiry": 1 << 41}, 1, "MQIsdp"),
        # the C SDK on 64 bits: the largest number for an expiry
        ({"app_id": "21010406", "method": "sha1", "expiry": 2**63 - 1}, 4, "app id"),
    ],
    ids=["3.1", "app-id", "other-app-id", "sha1", "kept", "python", "c"],
)
def test_login(forms, strict, form, code, words):
    form = dict(form)
    changes = form.pop("packet", {})
    login = credentials(forms, "dev-01", PSK, **form)
    got = answer(forms, packets.connect(*login, **changes))
    if not strict:
        assert got == TAKEN
        return
    assert got == refused(code)
    event = forms.wait_for("login_refused")
    assert event["code"] == code
    assert words in event["reason"]


@strictness
@pytest.mark.parametrize("changes", [{}, {"method": "sha256", "app_id": "12010126"}])
def test_the_librarys_own_login_is_taken(forms, strict, changes):
    login = credentials(forms, "dev-01", PSK, **changes)
    assert answer(forms, packets.connect(*login)) == TAKEN


@pytest.mark.parametrize("app_id", ["", "x", "1x", "-1", "1;2", "1" * 20])
@pytest.mark.parametrize("strict", [False], ids=["default"])
def test_app_ids_that_are_no_number(forms, strict, app_id):
    login = credentials(forms, "dev-01", PSK, app_id=app_id)
    assert answer(forms, packets.connect(*login)) == refused(4)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "MQTT", "level": 3}, 1),
        ({"name": "MQTT", "level": 5}, 1),
        ({"name": "MQIsdp", "level": 4}, None),
        ({"name": "MQIsdp", "level": 0x83}, None),
    ],
)
@pytest.mark.parametrize("strict", [False], ids=["default"])
def test_protocols_that_there_are_not(forms, strict, changes, code):
    login = credentials(forms, "dev-01", PSK)
    assert answer(forms, packets.connect(*login, **changes)) == refused(code)


@pytest.mark.parametrize("changes", [OLD, {}], ids=["3.1", "3.1.1"])
def test_dup_of_a_subscribe_that_is_sent_again(hub, changes):
    """MQTT 3.1 sets it (section 2.1), 3.1.1 forbids it (section 2.2.2)."""
    hub.add_device("dev-01", PSK)
    topic = f"{hub.product_id}/dev-01/control"
    again = [bytes((p[0] | 8,)) + p[1:] for p in (
        packets.subscribe(1, topic), packets.unsubscribe(2, topic)
    )]  # fmt: skip
    for sent, taken in zip(again, (packets.suback(1), packets.unsuback(2)), strict=True):
        with Raw(hub.mqtt) as raw:
            raw.send(packets.connect(*credentials(hub, "dev-01", PSK), **changes))
            raw.send(sent + packets.DISCONNECT)
            assert raw.ended() == packets.CONNACK + (taken if changes else b"")


@strictness
@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"algorithm": "hmacsha1"}, "algorithm"),
        ({"timestamp": C_SDK_TIME}, "expired"),
        ({"algorithm": "hmacsha1", "timestamp": C_SDK_TIME}, "algorithm"),
    ],
    ids=["sha1", "timestamp", "c"],
)
def test_registration(forms, strict, changes, row):
    response = post(forms, "new", **changes)
    if strict:
        code, message = REFUSALS[row]
        assert response["Error"] == {"Code": code, "Message": message}
    else:
        assert response["State"] == 0


@strictness
@pytest.mark.parametrize("timestamp", [0, None])
def test_the_librarys_own_registration_is_taken(forms, strict, timestamp):
    timestamp = int(time.time()) if timestamp is None else timestamp
    assert post(forms, "new", timestamp=timestamp)["State"] == 0


@pytest.mark.parametrize("timestamp", [1, C_SDK_TIME - 1, C_SDK_TIME + 1])
def test_other_constants_are_no_time(hub, timestamp):
    assert post(hub, timestamp=timestamp)["Error"]["Code"] == REFUSALS["expired"][0]


def test_the_digest_of_the_body_is_the_algorithms(hub):
    headers, body = signed(hub)
    headers["X-TC-Algorithm"] = "hmacsha1"
    reply = requests.post(hub.http + "/device/register", body, headers=headers, timeout=5)
    assert reply.json()["Response"]["Error"]["Code"] == REFUSALS["signature"][0]


def test_certificate_device_of_the_c_sdk(start_hub):
    """Any app id, no password; over TLS with its certificate."""
    hub = start_hub(auth_mode="cert", device_key="ec")
    pair = register_certificate(hub)
    login = credentials(hub, "dev-01", "", app_id="21010406", expiry=2**63 - 1)[:2]
    context = client_context(hub, pair)
    assert answer(hub, packets.connect(*login, **OLD), hub.mqtts, context) == TAKEN


# Names in the servers' certificate.


def test_names(start_hub):
    names = ["*.iotcloud.tencentdevices.com", "192.0.2.7", "::1", "hub.example", "hub.example"]
    hub = start_hub(names=names)
    der = ssl.PEM_cert_to_DER_cert(
        ssl.get_server_certificate(("127.0.0.1", hub.ports["mqtts"]), ca_certs=str(hub.ca_pem))
    )
    found = x509.load_der_x509_certificate(der).extensions
    shown = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert shown.get_values_for_type(x509.DNSName) == [
        "localhost", "127.0.0.1", "hub.test", "*.iotcloud.tencentdevices.com", "192.0.2.7", "::1",
        "hub.example",
    ]  # fmt: skip
    addresses = [str(one) for one in shown.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "192.0.2.7", "::1"]
    context = ssl.create_default_context(cafile=str(hub.ca_pem))
    for name in ("ABC.iotcloud.tencentdevices.com", "192.0.2.7", "::1", "hub.example"):
        handshake(hub, context, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(hub, context, "other.example")


def handshake(hub, context, name):
    with (
        socket.create_connection(("127.0.0.1", hub.ports["mqtts"]), timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=name),
    ):
        pass


@pytest.mark.parametrize(
    "name", ["", "*", "a..b", "a b", "a/b", "10.0.0.0/8", "x@y", "fe80::1%e", "-a", "x" * 64]
)
def test_names_that_are_none(name):
    assert not is_identity(name)
    with pytest.raises(HubError, match="no host name or address"):
        Hub(names=[name])


def test_a_name_in_another_script():
    assert is_identity("münchen.example")


def test_the_secret_of_the_forms_is_the_decoded_one(hub):
    hub.add_device("dev-01", PSK)
    text = base64.b64encode(PSK.encode()).decode()  # its base64 text taken for the key
    login = credentials(hub, "dev-01", text, method="sha1")
    assert answer(hub, packets.connect(*login)) == refused(4)


# The older registration, which the vendor's SDK for IoT Explorer sends.


def old_request(hub, name="dev-02", **changes):
    """The reply to a good POST to /register/dev, unless `changes` of its body say otherwise."""
    given = {"deviceName": name, "nonce": 7, "productId": hub.product_id}
    given["timestamp"] = changes.pop("timestamp", int(time.time()))
    secret = changes.pop("secret", hub.product_secret)
    text = "&".join(f"{key}={value}" for key, value in given.items())
    digest = hmac.new(secret.encode(), text.encode(), "sha1").hexdigest()
    given["signature"] = base64.b64encode(digest.encode()).decode()
    return requests.post(hub.http + "/register/dev", json.dumps({**given, **changes}), timeout=5)


def test_old_registration(hub):
    reply = old_request(hub).json()
    assert set(reply) == {"code", "message", "len", "payload"}
    assert reply["code"] == 0
    response = {"Payload": reply["payload"], "Len": reply["len"]}
    psk = decrypt(hub.product_secret, response)["psk"]
    assert answer(hub, packets.connect(*credentials(hub, "dev-02", psk))) == TAKEN
    assert hub.wait_for("registered", device_name="dev-02")["state"] == 0
    assert old_request(hub).json() == {"code": -1, "message": REFUSALS["activated"][1]}


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("signature", {"secret": "x" * 24}),
        ("signature", {"signature": None}),
        ("signature", {"signature": "\ud800"}),
        ("signature", {"nonce": 8}),
        ("nonce", {"nonce": 0}),
        ("nonce", {"nonce": True}),
        ("timestamp", {"timestamp": -1}),
        ("timestamp", {"timestamp": "soon"}),
        ("expired", {"timestamp": 1}),
        ("device_name", {"deviceName": "\ud800"}),
        ("fields", {"deviceName": None}),
        ("product", {"productId": "UNKNOWN"}),
    ],
)
def test_old_registrations_that_are_refused(hub, row, changes):
    reply = old_request(hub, **changes)
    assert reply.status_code == 200
    assert reply.json() == {"code": -1, "message": REFUSALS[row][1]}
    assert hub.wait_for("refused")["code"] == REFUSALS[row][0]
    assert hub.devices() == []


def test_a_strict_hub_has_no_old_registration(start_hub):
    hub = start_hub(strict=True)
    assert old_request(hub).status_code == 404
    assert hub.wait_for("http_bad")["status"] == 404


def test_only_post_registers_the_old_way(hub):
    assert requests.get(hub.http + "/register/dev", timeout=5).status_code == 405
