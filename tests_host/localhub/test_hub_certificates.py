"""Registration of certificate devices: issued by the hub, and brought along from an own CA."""

import base64
import json
import re
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hubclient import Raw, credentials, decrypt, post, register_certificate, signed
from hubpki import Authority, client_context, fingerprint, key_pem, new_key

from dynreg_tools.hub.http import registration
from tests_host.corpus import packets


@pytest.fixture(scope="module")
def authority():
    """The CA of a product's owner."""
    return Authority()


@pytest.fixture(scope="module")
def pair(authority):
    """A certificate and key that it issued."""
    return authority.issue()


@pytest.fixture
def own(start_hub, authority):
    """A hub whose product has that CA."""
    return start_hub(own_ca=authority.pem.encode())


def refused(hub, row, **changes):
    """Check a refusal and its event."""
    response = post(hub, **changes)
    code, message = registration.REFUSALS[row]
    assert response["Error"] == {"Code": code, "Message": message}
    event = hub.wait_for("refused", code=code, request_id=response["RequestId"])
    assert event["message"] == message
    assert event["device_name"] == "dev-01"


def load(plaintext):
    """The certificate and key of a reply."""
    return (
        x509.load_pem_x509_certificate(plaintext["clientCert"].encode()),
        load_pem_private_key(plaintext["clientKey"].encode(), password=None),
    )


@pytest.mark.parametrize(
    ("kind", "client", "scheme"),
    [("rsa", "requests", "https"), ("ec", "httpx", "http"), ("ec", "requests", "https")],
)
def test_issued(start_hub, kind, client, scheme):
    hub = start_hub(auth_mode="cert", device_key=kind)
    url = getattr(hub, scheme)
    headers, body = signed(hub, host=urlsplit(url).hostname)
    if client == "requests":
        reply = requests.post(
            url + "/device/register", data=body, headers=headers, verify=hub.ca_pem, timeout=5
        )
    else:
        with httpx.Client(trust_env=False) as session:
            reply = session.post(url + "/device/register", content=body, headers=headers)
    response = reply.json()["Response"]
    assert set(response) == {"Len", "Payload", "RequestId", "State"}
    assert response["State"] == 0
    plaintext = decrypt(hub.product_secret, response)
    assert list(plaintext) == ["encryptionType", "clientCert", "clientKey"]
    assert plaintext["encryptionType"] == 1
    assert response["Len"] == len(json.dumps(plaintext, separators=(",", ":")))
    assert len(response["Payload"]) <= 4096
    certificate, key = load(plaintext)
    assert plaintext["clientCert"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert plaintext["clientKey"].startswith(f"-----BEGIN {kind.upper()} PRIVATE KEY-----\n")
    if kind == "rsa":
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == 2048
    else:
        assert isinstance(key.curve, ec.SECP256R1)
    assert key.public_key() == certificate.public_key()
    check_issued(hub, certificate, hub.product_id + "dev-01")
    [device] = hub.devices()
    assert device["fingerprint"] == fingerprint(plaintext["clientCert"])
    assert (device["mode"], device["psk"], device["activated"]) == ("cert", None, False)
    event = hub.wait_for("registered", scheme=scheme)
    assert event["device_name"] == "dev-01"
    assert event["state"] == 0


def check_issued(hub, certificate, common_name):
    directory = hub.ca_pem.parent
    issuer = x509.load_pem_x509_certificate((directory / "device_ca.pem").read_bytes())
    certificate.verify_directly_issued_by(issuer)
    server_ca = x509.load_pem_x509_certificate(hub.ca_pem.read_bytes())
    assert issuer.public_key() != server_ca.public_key()
    assert issuer.subject != server_ca.subject
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == common_name
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    assert abs(datetime.now(UTC) - timedelta(days=1) - start) < timedelta(minutes=1)
    assert (end.year - start.year, end.month, end.day) == (20, start.month, start.day)
    assert issuer.not_valid_before_utc <= start
    assert end + timedelta(3650) < (issuer.not_valid_after_utc)
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_name_that_is_too_long_for_a_common_name(start_hub):
    hub = start_hub(auth_mode="cert", device_key="ec", product_id="P" * 32)
    name = "d" * 48
    certificate, _ = load(decrypt(hub.product_secret, post(hub, name)))
    check_issued(hub, certificate, name)


def test_repeat_issues_another(start_hub):
    hub = start_hub(auth_mode="cert", device_key="ec")
    replies = [post(hub), post(hub)]
    assert [reply["State"] for reply in replies] == [0, 1]
    first, second = (decrypt(hub.product_secret, reply) for reply in replies)
    assert first["clientKey"] != second["clientKey"]
    prints = [fingerprint(plaintext["clientCert"]) for plaintext in (first, second)]
    assert prints[0] != prints[1] == hub.devices()[0]["fingerprint"]


def test_switches_count_for_certificates_too(start_hub):
    hub = start_hub(auth_mode="cert", device_key="ec", register_type=1)
    refused(hub, "not_created")
    hub.add_device("dev-01")
    assert post(hub)["State"] == 1
    assert hub.devices()[0]["fingerprint"]
    hub.set_product(register_type=0)
    refused(hub, "off")
    hub.set_product(register_type=2, register_limit=0)
    code, _ = registration.REFUSALS["limit"]
    assert post(hub, "dev-02")["Error"]["Code"] == code


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_private_key_is_nowhere(start_hub, kind):
    hub = start_hub(auth_mode="cert", device_key=kind)
    certificate, key = register_certificate(hub)
    with Raw(hub.mqtts, client_context(hub, (certificate, key))) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", "")))
        assert raw.packet() == (0x20, b"\0\0")
    hub.wait_for("disconnect")
    private = load_pem_private_key(key.encode(), password=None)
    forms = [key.encode(), json.dumps(key)[1:-1].encode()]
    forms += [line.encode() for line in key.splitlines() if len(line) == 64]
    forms.append(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())[-64:])
    numbers = private.private_numbers()
    number = numbers.d if kind == "rsa" else numbers.private_value
    raw_number = number.to_bytes((number.bit_length() + 7) // 8, "big")
    forms += [raw_number, raw_number.hex().encode(), str(number).encode()]
    forms += [base64.b64encode(raw_number[:24])]
    files = {path.name: path.read_bytes() for path in hub.ca_pem.parent.iterdir()}
    assert {name for name, data in files.items() if b"PRIVATE KEY" in data} == {
        "ca_key.pem",
        "device_ca_key.pem",
    }
    traffic = [*hub.requests, *(packet.raw for packet in hub.packets)]
    haystack = [*files.values(), *traffic, json.dumps(hub.events).encode()]
    haystack.append(json.dumps(hub.devices()).encode())
    assert len(traffic) == 3
    assert not [form for form in forms for data in haystack if form in data]
    shown = fingerprint(certificate).encode()
    assert any(shown in data for data in files.values())  # the search does find things


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("form", ["documented", "bare"])
def test_own_ca(own, authority, kind, form):
    certificate, key = authority.issue("anything", kind=kind)
    more = {"clientCert": certificate}
    if form == "documented":
        more = {"EncryptionType": 1, "ClientCert": certificate}
    response = post(own, more=more)
    assert response["State"] == 0
    assert response["Len"] == len('{"encryptionType":1}')
    assert decrypt(own.product_secret, response) == {"encryptionType": 1}
    [device] = own.devices()
    assert device["fingerprint"] == fingerprint(certificate)
    assert (device["mode"], device["psk"]) == ("cert", None)
    later, _ = authority.issue()
    assert post(own, more={**more, next(reversed(more)): later})["State"] == 1
    assert own.devices()[0]["fingerprint"] == fingerprint(later)
    with Raw(own.mqtts, client_context(own, (certificate, key))) as raw:
        raw.send(packets.connect(*credentials(own, "dev-01", "")))
        assert raw.ended() == b"\x20\x02\x00\x05"  # the earlier one is no longer good


@pytest.mark.parametrize("source", ["bytes", "str", "path"])
def test_own_ca_may_be_a_file_and_below_another(start_hub, tmp_path, source):
    middle = Authority("middle", above=Authority("root"))
    file = tmp_path / "own.pem"
    file.write_text("\n" + middle.pem)
    hub = start_hub(
        own_ca={"bytes": file.read_bytes(), "str": str(file), "path": file}[source],
        auth_mode="cert",
    )
    pair = middle.issue()
    assert "Payload" in post(hub, more={"clientCert": pair[0]})
    with Raw(hub.mqtts, client_context(hub, pair)) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", "")))
        assert raw.packet() == (0x20, b"\0\0")


def damaged(certificate):
    """Good armour around bytes that are no certificate."""
    head, *lines, tail = certificate.strip().splitlines()
    return "\n".join([head, *reversed(lines), tail])


def spoilt(pem):
    """A certificate with another signature's last bits."""
    der = bytearray(ssl.PEM_cert_to_DER_cert(pem))
    der[-1] ^= 1
    return ssl.DER_cert_to_PEM_cert(bytes(der))


@pytest.mark.parametrize(
    ("row", "given"),
    [
        ("certificate_missing", lambda a, c: {}),
        ("certificate_missing", lambda a, c: {"EncryptionType": 1}),
        ("certificate_missing", lambda a, c: {"clientcert": c}),
        ("certificate_form", lambda a, c: {"ClientCert": c}),
        ("certificate_form", lambda a, c: {"ClientCert": c, "EncryptionType": 2}),
        ("certificate_form", lambda a, c: {"ClientCert": c, "EncryptionType": "1"}),
        ("certificate_form", lambda a, c: {"ClientCert": c, "EncryptionType": True}),
        ("certificate_form", lambda a, c: {"clientCert": c, "EncryptionType": 1}),
        ("certificate_form", lambda a, c: {"ClientCert": c, "clientCert": c, "EncryptionType": 1}),
        ("certificate_pem", lambda a, c: {"clientCert": ""}),
        ("certificate_pem", lambda a, c: {"clientCert": None}),
        ("certificate_pem", lambda a, c: {"clientCert": [c]}),
        ("certificate_pem", lambda a, c: {"clientCert": "".join(c.splitlines()[1:-1])}),
        ("certificate_pem", lambda a, c: {"clientCert": c.replace(" CERT", " X CERT")}),
        ("certificate_pem", lambda a, c: {"clientCert": damaged(c)}),
        ("certificate_pem", lambda a, c: {"clientCert": c + c}),
        ("certificate_pem", lambda a, c: {"clientCert": c + key_pem(new_key())}),
        ("certificate_pem", lambda a, c: {"clientCert": "text\n" + c}),
        ("certificate_issuer", lambda a, c: {"clientCert": Authority("Foreign CA").issue()[0]}),
        ("certificate_issuer", lambda a, c: {"clientCert": Authority(a.name).issue()[0]}),
        ("certificate_issuer", lambda a, c: {"clientCert": spoilt(c)}),
        ("certificate_issuer", lambda a, c: {"clientCert": below(a).issue()[0]}),
        ("certificate_dates", lambda a, c: {"clientCert": a.issue(days=(-2, -0.001))[0]}),
        ("certificate_dates", lambda a, c: {"clientCert": a.issue(days=(0.001, 2))[0]}),
        ("signature", lambda a, c: {"clientCert": ""}),
    ],
)
def test_own_ca_refusals(own, authority, pair, row, given):
    secret = "x" * 24 if row == "signature" else own.product_secret
    refused(own, row, more=given(authority, pair[0]), secret=secret)
    assert own.devices() == []
    assert "BEGIN" not in json.dumps(own.events)


def below(authority):
    """A CA that the own CA issued: not the one whose certificates are registered."""
    return Authority("below", above=authority)


@pytest.mark.parametrize("mode", ["key", "cert"])
@pytest.mark.parametrize("more", [{"EncryptionType": 1, "ClientCert": 0}, {"clientCert": 0}])
def test_certificate_where_none_belongs(start_hub, pair, mode, more):
    hub = start_hub(auth_mode=mode, device_key="ec")
    more = {key: value or pair[0] for key, value in more.items()}
    refused(hub, "certificate_unwanted", more=more)
    assert hub.devices() == []
    assert "Payload" in post(hub)


def test_own_ca_after_activation(own, pair):
    more = {"clientCert": pair[0]}
    assert "Payload" in post(own, more=more)
    with Raw(own.mqtts, client_context(own, pair)) as raw:
        raw.send(packets.connect(*credentials(own, "dev-01", "")))
        assert raw.packet() == (0x20, b"\0\0")
        refused(own, "activated", more=more)
    own.delete_device("dev-01")
    assert post(own, more=more)["State"] == 0


def test_devices_of_a_certificate_product_have_no_secret(start_hub):
    hub = start_hub(auth_mode="cert", device_key="ec")
    with pytest.raises(Exception, match="no secret"):
        hub.add_device("a", "c2VjcmV0")
    assert hub.devices() == []
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(register_certificate(hub)[0]))
