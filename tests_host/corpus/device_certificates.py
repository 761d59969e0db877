"""Certificate mode: the registration's reply, an own CA's certificate, and the mutual login."""

import json

import canaries
import fakes
import gateway
import packets
from dynreg import Device
from dynreg.connect import tls, trust
from dynreg.errors import ConfigError, LoginError, NetworkError, ProtocolError, StorageError
from dynreg.register.gateway import signature as signature_of
from dynreg.storage import notes
from kept import Kept

CERTIFICATE, KEY = canaries.PAIR
GOOD = {"encryptionType": 1, "clientCert": CERTIFICATE, "clientKey": KEY}
OWN = {"encryptionType": 1}
PSK = {"encryptionType": 2, "psk": canaries.DEVICE_SECRET}


def _gateway(values):
    """A Peer that answers one registration with this."""
    return fakes.Peer(gateway.http(gateway.good(json.dumps(values))))


class _Board(Kept):
    """A board in a network; identities: what its links show to the other end, in order."""

    def __init__(self, mode, *peers, place="NVS", **changes):
        super().__init__(mode, place, **changes)
        self.clock = fakes.Clock()
        self.net = fakes.network(self.clock, *peers)
        fakes.module("network", None)
        self.identities = identities = []

        def handshake(wire, host, context):
            return wire

        def context(path, builtin, identity=None):
            identities.append(identity)

        fakes.replace(tls, "handshake", handshake)
        fakes.replace(trust, "context", context)

    def brings(self, certificate="own.pem", key="own.key"):
        """The device has a certificate of its own: files, and their names in device_info.json."""
        import os

        os.mkdir(self.folder + "/certs")
        fakes.write(self.folder + "/certs/" + certificate, CERTIFICATE)
        fakes.write(self.folder + "/certs/" + key, KEY)
        self.edit(devCertFile=certificate, devPrivateKeyFile=key)
        return self


def _body(peer):
    return json.loads(peer.sent.partition(b"\r\n\r\n")[2])


# --- a certificate from the cloud ---------------------------------------------------------------


def test_a_first_boot_stores_the_pair_before_it_logs_in():
    for place in ("NVS", "file"):
        seen = []
        gateway, broker = _gateway(GOOD), fakes.Peer()
        board = _Board("CERT", gateway, broker, place=place)
        broker.expect(
            lambda segment, seen=seen, board=board: seen.append(board.whole()) or packets.CONNACK
        )
        device = Device(board.path)
        assert device.registered is False
        assert device.connect().connected is True and device.registered_now is True
        assert seen == [True], "both copies before CONNECT"
        assert _body(gateway) == {"ProductId": fakes.PRODUCT, "DeviceName": fakes.NAME}
        assert board.identities == [None, canaries.PAIR], "the gateway sees no certificate"
        section = board.values()["cert_deviceinfo"]
        assert section["devCertFile"] == board.folder + "/certs/device_cert.pem"
        assert section["devPrivateKeyFile"] == board.folder + "/certs/device_key.pem"
        assert section["devCaFile"] == "YOUR_CA_FILE_NAME"
        assert board.values()["key_deviceinfo"] == {"deviceSecret": "YOUR_DEVICE_SECRET"}
        fakes.restore()


def test_a_later_boot_does_not_register_and_shows_the_certificate():
    broker = fakes.Peer(packets.CONNACK)
    board = _Board("CERT", broker)
    board.registered()
    before = board.all()
    device = Device(board.path)
    assert device.register() is False
    device.connect()
    assert len(board.net.sockets) == 1 and board.identities == [canaries.PAIR]
    assert board.all() == before


def test_the_login_has_the_user_name_and_no_use_for_a_password():
    broker = fakes.Peer(packets.CONNACK)
    board = _Board("CERT", broker)
    board.registered()
    Device(board.path).connect()
    connect = broker.segments[0]
    assert connect[0] == 0x10 and (fakes.PRODUCT + fakes.NAME).encode() in connect
    assert b";12010126;" in connect and b";hmacsha256" in connect
    for part in (KEY, CERTIFICATE, canaries.PRODUCT_SECRET):
        assert part.encode() not in connect


def test_in_key_mode_no_certificate_is_shown():
    board = _Board("KEY", _gateway(PSK), fakes.Peer(packets.CONNACK))
    Device(board.path).connect()
    assert board.identities == [None, None]


def test_the_pair_goes_where_the_file_says():
    board = _Board("CERT", _gateway(GOOD))
    board.edit(devPrivateKeyFile=board.folder + "/key.pem")
    Device(board.path).register()
    assert fakes.read(board.folder + "/key.pem").decode() == KEY
    assert fakes.read(board.folder + "/certs/device_cert.pem").decode() == CERTIFICATE
    assert board.whole()


def _refused(mode, values, brings=False):
    """A reply of this kind: ProtocolError, said once, nothing stored, no login."""
    gateway = _gateway(values)
    board = _Board(mode, gateway, fakes.Peer(packets.CONNACK))
    if brings:
        board.brings()
    before = board.all()
    says = ("does not decrypt to a credential", fakes.PRODUCT)
    device = Device(board.path)
    fakes.raises(ProtocolError, device.connect, code="protocol.payload", says=says)
    assert board.all() == before and device.registered is False
    assert len(board.net.sockets) == 1 and gateway.closed
    fakes.restore()


def _reply(**changes):
    values = dict(GOOD, **changes)
    return {key: values[key] for key in values if values[key] is not None}


def test_a_reply_without_certificate_or_key():
    for key in ("clientCert", "clientKey"):
        for value in (None, "", 5, [], {}, True):
            _refused("CERT", _reply(**{key: value}))


def test_a_reply_whose_pem_is_none():
    for key in ("clientCert", "clientKey"):
        for value in (
            "text",
            "-----BEGIN",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            GOOD[key].replace("-----BEGIN", "-----BEGUN"),
            GOOD[key].split("\n")[1],
        ):
            _refused("CERT", _reply(**{key: value}))


def test_a_reply_whose_pem_is_cut_off():
    for key in ("clientCert", "clientKey"):
        whole = GOOD[key]
        for size in (30, 60, len(whole) // 2, whole.find("-----END") - 1, whole.find("-----END")):
            _refused("CERT", _reply(**{key: whole[:size]}))


def test_a_reply_with_certificate_and_key_exchanged():
    _refused("CERT", _reply(clientCert=KEY, clientKey=CERTIFICATE))


def test_a_reply_for_an_own_ca_where_there_is_no_certificate():
    _refused("CERT", OWN)


def test_replies_of_the_other_mode():
    _refused("CERT", PSK)
    _refused("CERT", dict(GOOD, encryptionType=2))
    _refused("KEY", GOOD)
    _refused("KEY", OWN)
    _refused("KEY", dict(PSK, encryptionType=1))
    _refused("CERT", PSK, brings=True)


def test_encryption_types_that_are_none():
    for value in (None, 0, 3, "1", []):
        _refused("CERT", _reply(encryptionType=value))


# --- a certificate of an own CA -----------------------------------------------------------------


def test_an_own_certificate_is_sent_and_kept():
    for place in ("NVS", "file"):
        gateway = _gateway(OWN)
        board = _Board("CERT", gateway, fakes.Peer(packets.CONNACK), place=place).brings()
        device = Device(board.path)
        assert device.registered is False, "the cloud does not know it yet"
        assert board.states() == ("unchecked", "missing")
        device.connect()
        assert _body(gateway) == {
            "ProductId": fakes.PRODUCT,
            "DeviceName": fakes.NAME,
            "EncryptionType": 1,
            "ClientCert": CERTIFICATE,
        }
        assert KEY.split("\n")[1].encode() not in gateway.sent
        assert board.whole() and board.identities == [None, canaries.PAIR]
        section = board.values()["cert_deviceinfo"]
        assert section["devCertFile"] == board.folder + "/certs/own.pem"
        assert not fakes.exists(board.folder + "/certs/device_cert.pem")
        fakes.restore()


def test_the_signature_is_over_the_body_with_the_certificate():

    gateway = _gateway(OWN)
    board = _Board("CERT", gateway).brings()
    Device(board.path).register()
    head, _, body = gateway.sent.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert int(headers["Content-Length"]) == len(body)
    assert headers["X-TC-Signature"] == signature_of(
        canaries.PRODUCT_SECRET,
        headers["Host"],
        body,
        int(headers["X-TC-Timestamp"]),
        int(headers["X-TC-Nonce"]),
    )


def test_an_own_certificate_whose_registration_fails_stays_to_be_registered():
    board = _Board("CERT", fakes.Peer(fault=OSError(111)), _gateway(OWN)).brings()
    before = board.all()
    assert fakes.raises(NetworkError, Device(board.path).register).retry
    assert board.all() == before
    assert Device(board.path).register() is True and board.whole()


def test_an_own_certificate_of_a_registered_board_is_not_registered_again():
    board = _Board("CERT", _gateway(OWN)).brings()
    Device(board.path).register()
    device = Device(board.path)
    assert device.registered is True and device.register() is False
    assert len(board.net.sockets) == 1


def test_an_own_certificate_without_a_product_secret_is_taken_as_registered():
    board = _Board("CERT", fakes.Peer(packets.CONNACK), productSecret=None).brings()
    device = Device(board.path)
    assert device.registered is True
    device.connect()
    assert board.identities == [canaries.PAIR] and board.whole()


def test_an_own_certificate_whose_file_is_missing_is_damaged_and_nothing_is_sent():
    import os

    for name in ("own.pem", "own.key"):
        board = _Board("CERT", _gateway(OWN)).brings()
        os.remove(board.folder + "/certs/" + name)
        fakes.raises(StorageError, Device, board.path, code="storage.damaged", says=board.path)
        assert board.net.sockets == []
        fakes.restore()


# --- what TLS gets ------------------------------------------------------------------------------


def test_a_pair_that_tls_cannot_use_is_a_config_error_without_the_key():
    fakes.need_tls()
    net = fakes.network(fakes.Clock())
    for pair in (
        ("text", KEY),
        (CERTIFICATE, "text"),
        (CERTIFICATE, KEY[:80]),
        ("", ""),
        canaries.PAIR,
    ):
        arguments = (None, tls.BROKER, pair)
        says = "certificate and key"
        fakes.raises(ConfigError, trust.context, *arguments, code="config", says=says)
    assert net.sockets == []


def _tls_that_shows(got):
    """TLS's contexts put the pair that they are given into got, as DER."""
    context = fakes.Namespace(load_cert_chain=lambda *ders: got.append(ders))
    fakes.replace(
        trust,
        "tls",
        fakes.Namespace(
            SSLContext=lambda protocol: context, PROTOCOL_TLS_CLIENT=0, CERT_REQUIRED=2
        ),
    )


def test_a_key_after_its_parameters_is_found():
    # As `openssl ecparam -genkey` writes it.
    got = []
    _tls_that_shows(got)
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    trust.context(None, (), (CERTIFICATE, parameters + KEY))
    trust.context(None, (), (CERTIFICATE, KEY))
    assert got[0] == got[1], "the parameters were taken for the key"


def test_the_pair_reaches_tls_as_der():
    got = []
    _tls_that_shows(got)
    for end in ("\n", "\r\n"):
        trust.context(None, (), tuple(pem.replace("\n", end) for pem in canaries.PAIR))
        certificate, key = got.pop()
        assert b"canary certificate" in certificate and b"canary private key" in key
    trust.context(None, ())
    assert got == []


# --- a login that is refused --------------------------------------------------------------------


def _refused_for_ever(mode, code):
    """A board that once logged in, every login but the fifth refused: its log, when each met."""
    peers = [fakes.Peer(bytes((0x20, 2, 0, code))) for _ in range(4)]
    board = _Board(mode, *peers, fakes.Peer(packets.CONNACK))
    board.registered()
    notes.write(board.path, {"day": 1, "psk": 0, "early": 0})
    before = board.all()
    device = Device(board.path)
    lines = fakes.log_lines()
    assert device.connect(60, 0).connected is True and device.registered is True
    assert [peer.segments[0][0] for peer in peers] == [0x10] * 4, "no registration"
    assert board.all() == before
    met = [peer.met for peer in peers] + [board.net.sockets[-1]._peer.met]
    return lines, [met[i + 1] - met[i] for i in range(4)]


def test_three_refusals_and_advice_then_one_try_within_the_hour_but_no_registration():
    for mode in ("KEY", "CERT"):
        for code in (3, 4, 5, 6, 255):
            lines, waits = _refused_for_ever(mode, code)
            assert all(5000 <= wait <= 300000 for wait in waits[:2]), waits
            assert all(900000 <= wait <= 3600000 for wait in waits[2:]), waits
            words = "\n".join(text for _, text in lines)
            assert "3 times" in words and "Device.forget(confirm=" in words
            fakes.restore()


def test_a_protocol_or_client_id_refused_is_tried_again_within_the_hour():
    for code in (1, 2):
        _, waits = _refused_for_ever("KEY", code)
        assert all(900000 <= wait <= 3600000 for wait in waits), waits
        fakes.restore()


def test_so_many_attempts_end_with_the_refusal():
    board = _Board("KEY", *[fakes.Peer(b"\x20\x02\x00\x05") for _ in range(4)])
    board.registered()
    device = Device(board.path)
    says = ("3 times", "console", "Device.forget(confirm=")
    fakes.raises(LoginError, device.connect, 60, 3, code="login.5", says=says, retry=900)
    assert len(board.net.sockets) == 3


def test_a_refusal_that_passes_is_no_refusal():
    peers = [fakes.Peer(b"\x20\x02\x00\x05"), fakes.Peer(b"\x20\x02\x00\x05")]
    board = _Board("KEY", *peers, fakes.Peer(packets.CONNACK))
    board.registered()
    assert Device(board.path).connect(attempts=3).connected is True
    assert len(board.net.sockets) == 3


def test_a_later_boot_does_not_load_registration():
    # A later boot of a certificate board must not need the registration's memory.
    import sys

    board = _Board("CERT", fakes.Peer(packets.CONNACK))
    board.registered()
    sys.modules.pop("dynreg.registration", None)
    Device(board.path).connect()
    assert "dynreg.registration" not in sys.modules
