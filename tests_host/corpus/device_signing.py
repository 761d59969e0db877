"""Signatures, against published vectors."""

from binascii import a2b_base64, hexlify, unhexlify

import canaries
import fakes
from dynreg.connect.hmac import hmac
from dynreg.connect.login import signed
from dynreg.register.gateway import signature as signature_of
from dynreg.storage.credentials import fingerprint


def test_registration_signatures_of_the_vectors():
    for vector in fakes.vectors()["registration_signature"]:
        assert vector["by_timestamp"]
        for timestamp in vector["by_timestamp"]:
            signature = signature_of(
                vector["product_secret"],
                vector["host"],
                vector["body"].encode(),
                int(timestamp),
                vector["nonce"],
            )
            assert isinstance(signature, str)
            assert signature == vector["by_timestamp"][timestamp], timestamp


def test_registration_signature_covers_every_part():
    good = (canaries.PRODUCT_SECRET, "host", b"{}", 1, 2)
    other = (canaries.PRODUCT_SECRET[:-1] + "y", "host2", b"{} ", 2, 3)
    signature = signature_of(*good)
    for part in range(5):
        changed = list(good)
        changed[part] = other[part]
        assert signature_of(*changed) != signature, part


def test_logins_of_the_vectors():
    for vector in fakes.vectors()["mqtt_login"]:
        client_id, _, connid, expiry = vector["username"].split(";")
        assert client_id == vector["product_id"] + vector["device_name"]
        got = signed(client_id, a2b_base64(vector["psk"]), connid + ";" + expiry)
        assert got == (vector["username"], vector["password"]), got


def test_a_login_without_expiry_never_ends():
    user, password = signed(
        "ABCDEFGHIJdev-01", a2b_base64(canaries.DEVICE_SECRET), "aZ09x;2147483647"
    )
    assert user == "ABCDEFGHIJdev-01;12010126;aZ09x;2147483647"
    digest, method = password.split(";")
    assert method == "hmacsha256"
    assert len(digest) == 64 and digest == digest.lower()


def test_hmac_of_rfc_4231():
    cases = (  # RFC 4231, 4.2 to 4.8 but for 4.6, which is a truncated one
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 20,
            b"\xdd" * 50,
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            bytes(range(1, 26)),
            b"\xcd" * 50,
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            b"\xaa" * 131,
            b"This is a test using a larger than block-size key and a larger than "
            b"block-size data. The key needs to be hashed before being used by the HMAC "
            b"algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    )
    for key, message, digest in cases:
        assert hexlify(hmac(key, message)).decode() == digest, message


def test_hmac_keys_around_the_block_size():
    digests = {  # by CPython's hmac, of b"message" under b"k" * size
        63: "e27efa30bcbfbc25b4d936ffd8553392f398eb2edada1dac2423a961af0c305b",
        64: "890f3a16e0ca0aaa3bf180f70fa8e3970b3fd6505e98fde157988dcc19d1685c",
        65: "0c256505306af48015530c139bb7add5ad7a6a9291cd511278a067e765816fbd",
    }
    for size in digests:
        digest = hmac(b"k" * size, b"message")
        assert digest == unhexlify(digests[size]), size


def test_fingerprint_tells_secrets_apart_and_nothing_else():
    first = fingerprint(canaries.DEVICE_SECRET)
    print("fingerprint:", first)
    assert len(first) == 8
    assert first == fingerprint(canaries.DEVICE_SECRET)
    assert first != fingerprint(canaries.DEVICE_SECRET + "=")
