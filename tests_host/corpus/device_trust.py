"""CA files, good and bad, and the built-in roots."""

import sys
from binascii import b2a_base64, hexlify
from hashlib import sha256

import fakes
from dynreg import port
from dynreg.connect import tls, trust
from dynreg.errors import ConfigError
from dynreg.roots import digicert, iothub

ONE, TWO = iothub.certificate(), digicert.certificate()


def _pem(der, newline="\n"):
    text = b2a_base64(der).decode().strip()
    lines = ["-----BEGIN CERTIFICATE-----"]
    lines.extend(text[i : i + 64] for i in range(0, len(text), 64))
    lines.append("-----END CERTIFICATE-----")
    return newline.join(lines) + newline


def _file(data):
    return fakes.write(fakes.folder() + "/ca", data)


def _bad(data, says="copy"):
    bad = _file(data)
    fakes.raises(ConfigError, trust.check, bad, code="config", says=(bad, "copy", says))


def test_a_der_file():
    good = _file(ONE)
    assert list(trust.certificates(good, ())) == [ONE]
    trust.check(good)


def test_a_pem_file():
    for data in (
        _pem(ONE),
        _pem(ONE, "\r\n"),
        "Subject: Tencent Iothub\n\n" + _pem(ONE) + "\ntrailing words\n",
    ):
        good = _file(data)
        assert list(trust.certificates(good, ())) == [ONE], data
        trust.check(good)


def test_a_pem_file_with_two_certificates():
    good = _file(_pem(ONE) + "# and another\n" + _pem(TWO))
    assert list(trust.certificates(good, ())) == [ONE, TWO]
    trust.check(good)


def test_a_missing_file():
    path = fakes.folder() + "/none.der"
    fakes.raises(ConfigError, trust.check, path, code="config", says=(path, "cannot be read"))


def test_files_that_hold_no_certificate():
    for data in (b"", "hello\n", b"\0\0", "-----BEGIN PRIVATE KEY-----\nAAAA\n"):
        _bad(data, "no certificate: copy the CA's as PEM or DER")


def test_a_private_key_where_a_ca_should_be():
    whole = _pem(b"a key, and no certificate at all").replace("CERTIFICATE", "PRIVATE KEY")
    for data in (whole, whole[:-30]):
        _bad(data, "no certificate: copy the CA's as PEM or DER")


def test_other_blocks_beside_the_certificates_are_not_looked_at():
    key = _pem(b"a key, and no certificate at all").replace("CERTIFICATE", "PRIVATE KEY")
    for data in (key + _pem(ONE), _pem(ONE) + key):
        good = _file(data)
        assert list(trust.certificates(good, ())) == [ONE], data
        trust.check(good)


def test_der_files_that_are_cut_off():
    fakes.need_tls()
    for size in (1, 2, 100, len(ONE) - 1):
        _bad(ONE[:size])


def test_pem_files_that_are_cut_off():
    whole = _pem(ONE)
    for size in (27, 28, 29, 200, 201, 202, 203, len(whole) - 26, len(whole) - 27):
        _bad(whole[:size])


def test_a_pem_file_whose_second_certificate_is_cut_off():
    _bad(_pem(ONE) + _pem(TWO)[:300])


def test_a_pem_file_with_lines_missing():
    fakes.need_tls()
    lines = _pem(ONE).split("\n")
    del lines[5:8]
    _bad("\n".join(lines))


def test_the_built_in_broker_root_is_the_one_that_is_published():
    print("sha256:", hexlify(sha256(ONE).digest()).decode())
    assert list(trust.certificates(None, tls.BROKER)) == [ONE]
    assert hexlify(sha256(ONE).digest()).decode() == (
        "3b1fa1e1149e3f3bd3722730dbef9eb72ec4b9fd95553063a9c60ba62778e740"
    )


def test_the_built_in_gateway_roots():
    ders = list(trust.certificates(None, tls.GATEWAY))
    assert len(ders) == len(set(ders)) == len(tls.GATEWAY) == 4
    assert TWO in ders and ONE not in ders
    trust.context(None, tls.GATEWAY)
    trust.context(None, tls.BROKER)


def test_roots_leave_memory_again():
    fakes.replace(port, "unload", fakes.unload)
    for name in ("iothub", "digicert"):  # which this file has imported
        del sys.modules["dynreg.roots." + name]
    for _ in trust.certificates(None, tls.BROKER + tls.GATEWAY):
        names = [name for name in sys.modules if name.startswith("dynreg.roots.")]
        print(names)
        assert "dynreg.roots.iothub" not in names


def test_an_own_ca_replaces_the_built_in_roots():
    assert list(trust.certificates(_file(TWO), tls.BROKER)) == [TWO]


def test_a_pem_that_ends_within_its_first_line_ends():
    for data in (b"    -----BEGIN ", b"-----BEGIN CERTIFICATE", b"-----BEGIN CERTIFICATE-----"):
        fakes.raises(ValueError, list, trust.blocks(data, b"CERTIFICATE"))
