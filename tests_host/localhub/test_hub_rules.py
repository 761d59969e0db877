"""The pure rules against published vectors and against their limits."""

import json

import pytest

from dynreg_tools.hub import HubError, rules


def test_registration_signature(vectors):
    for vector in vectors["registration_signature"]:
        for timestamp, signature in vector["by_timestamp"].items():
            given = (vector["product_secret"], vector["host"], "hmacsha256", timestamp)
            body = vector["body"].encode()
            assert signature == rules.registration_signature(*given, str(vector["nonce"]), body)


def test_payload_encryption(vectors):
    for vector in vectors["decrypt"]:
        plaintext = vector["plaintext"].encode()
        assert len(plaintext) == vector["len"]
        assert rules.encrypt_payload(vector["product_secret"], plaintext) == vector["payload"]


PRODUCT_AND_DEVICE = "LD8S5J1L07test"
EXPIRY = 32472115200


@pytest.fixture
def login(vectors):
    """The published login: client id, user name, password, device secret."""
    (vector,) = vectors["mqtt_login"]
    client_id = vector["product_id"] + vector["device_name"]
    return client_id, vector["username"], vector["password"].encode(), vector["psk"]


def test_the_published_login_is_good_until_it_expires(login):
    client_id, username, password, psk = login
    assert rules.password_fault(username, password, psk) is None
    assert rules.username_fault(client_id, username, EXPIRY - 0.5) is None
    assert rules.username_fault(client_id, username, EXPIRY) == "the signature has expired"


@pytest.mark.parametrize(
    ("username", "reason"),
    [
        ("LD8S5J1L07other;12010126;qkvrc;32472115200", "begin with"),
        ("LD8S5J1L07test", "username is not"),
        ("LD8S5J1L07test;x;qkvrc;32472115200", "app id"),
        ("LD8S5J1L07test;;qkvrc;32472115200", "app id"),
        ("LD8S5J1L07test;12010126;qkvrc;32472115200;", "username is not"),
        ("LD8S5J1L07test;12010126;qkvr;32472115200", "connid"),
        ("LD8S5J1L07test;12010126;qk-rc;32472115200", "connid"),
        ("LD8S5J1L07test;12010126;qkvrc;", "expiry"),
        ("LD8S5J1L07test;12010126;qkvrc;-1", "expiry"),
    ],
)
def test_user_names_that_are_not_good(username, reason):
    assert reason in (rules.username_fault(PRODUCT_AND_DEVICE, username, 1_700_000_000) or "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"psk": "lDZ6Uqt+I9E0wW7rvDUs7Q=="}, "wrong"),
        ({"password": b"00;hmacsha256"}, "wrong"),
        ({"password": b"\xff;hmacsha1"}, "wrong"),
        ({"password": b"00;hmacmd5"}, "hmacsha256 or"),
        ({"password": b""}, "hmacsha256 or"),
        ({"username": "LD8S5J1L07test;12010126;qkvrc;32472115201"}, "wrong"),
    ],
)
def test_passwords_that_are_not_good(login, changes, reason):
    _, username, password, psk = login
    given = {"username": username, "password": password, "psk": psk, **changes}
    assert reason in (rules.password_fault(**given) or "")


def test_names():
    good = ["a", "Z9:_-", "x" * 48, "esp32-a0b1c2d3e4f5"]
    assert all(rules.is_device_name(name) for name in good)
    bad = ["", "x" * 49, "a b", "a/b", "a.b", "a\n", "é", "a+", "٣"]
    assert not [name for name in bad if rules.is_device_name(name)]
    assert rules.is_product_id("ABCDEFGHIJ")
    assert rules.is_product_id("a1")
    assert not [name for name in ("", "A" * 33, "A-B", "A/B", "A\n") if rules.is_product_id(name)]


def test_product_secret_limits():
    for good in ("x" * 16, "y" * 32):
        rules.check_product_secret(good)
    for bad in ("x" * 15, "x" * 33, "x" * 15 + " ", "x" * 15 + "é", "x" * 16 + "\n"):
        with pytest.raises(HubError) as caught:
            rules.check_product_secret(bad)
        assert bad not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "host"),
    [("a.b", "a.b"), ("a.b:8080", "a.b"), ("127.0.0.1:1", "127.0.0.1"), ("[::1]:80", "[::1]")],
)
def test_host_without_port(header, host):
    assert rules.host_without_port(header) == host


UP = [
    "P/d/event", "P/d/data", "$sys/operation/P/d", "$rrpc/txd/P/d/1234", "$shadow/operation/P/d",
    "$thing/up/property/P/d", "$thing/up/event/P/d", "$thing/up/action/P/d",
    "$thing/up/service/P/d", "$thing/up/raw/P/d", "$template/operation/P/d",
    "$resource/up/service/P/d", "$ota/report/P/d", "$config/operation/P/d", "$log/operation/P/d",
    "$gateway/operation/P/d",
]  # fmt: skip
DOWN = [
    "P/d/control", "P/d/data", "$sys/operation/result/P/d", "$rrpc/rxd/P/d/+",
    "$broadcast/rxd/P/d", "$shadow/operation/result/P/d", "$thing/down/property/P/d",
    "$thing/down/event/P/d", "$thing/down/action/P/d", "$thing/down/service/P/d",
    "$thing/down/raw/P/d", "$template/operation/result/P/d", "$resource/down/service/P/d",
    "$ota/update/P/d", "$config/operation/result/P/d", "$log/operation/result/P/d",
    "$gateway/operation/result/P/d",
]  # fmt: skip


def test_topic_rights():
    assert all(rules.may_publish("P", "d", topic) for topic in UP)
    assert all(rules.may_subscribe("P", "d", topic) for topic in DOWN)
    assert [t for t in UP if rules.may_subscribe("P", "d", t)] == ["P/d/data"]
    assert [t for t in DOWN if rules.may_publish("P", "d", t)] == ["P/d/data"]


def test_topic_rights_of_others():
    for topic in [*UP, *DOWN]:
        assert not rules.may_publish("P", "e", topic)
        assert not rules.may_subscribe("Q", "d", topic)
    for topic in ("#", "+/d/data", "P/d/#", "P/d/+", "P/d/data/", "P/d", "$sys/#"):
        assert not rules.may_subscribe("P", "d", topic)
    for tail in ("", "#", "+/+", "1/2"):
        assert not rules.may_subscribe("P", "d", "$rrpc/rxd/P/d/" + tail)
    for tail in ("", "1/2"):
        assert not rules.may_publish("P", "d", "$rrpc/txd/P/d/" + tail)


def test_topic_limits():
    assert rules.topic_fault("x" * 255) is None
    assert "255" in rules.topic_fault("é" * 128)
    assert rules.topic_fault("/" * 10) is None
    assert "slashes" in rules.topic_fault("/" * 11)


def test_matching():
    assert rules.filters_over("$rrpc/rxd/P/d/17") == ("$rrpc/rxd/P/d/17", "$rrpc/rxd/P/d/+")
    assert "$rrpc/rxd/P/d/+" not in rules.filters_over("$rrpc/rxd/P/d/17/x")
    assert "P/d/data" not in rules.filters_over("P/d/dat")


def test_zero_padding_of_whole_block():
    whole = rules.encrypt_payload("k" * 16, json.dumps("x" * 14).encode())
    assert len(whole) == 24  # sixteen bytes in base64
