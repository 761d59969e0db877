"""Device: the first boot and the later ones, in the right order and without a secret said."""

import json
from binascii import b2a_base64

import canaries
import cryptolib
import fakes
import packets
from dynreg import Device, credentials
from dynreg.errors import ConfigError, NetworkError, RegistrationError, StorageError
from dynreg.roots import iothub


def _gateway(refusal=None):
    """A Peer that answers one registration."""
    plain = json.dumps({"encryptionType": 2, "psk": canaries.DEVICE_SECRET}).encode()
    aes = cryptolib.aes(canaries.PRODUCT_SECRET[:16].encode(), 2, b"0" * 16)
    payload = b2a_base64(aes.encrypt(plain + bytes(-len(plain) % 16))).decode().strip()
    response = refusal or {"Len": len(plain), "Payload": payload}
    body = json.dumps({"Response": response}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return fakes.Peer([(0, head + body), (0, fakes.END)])


def _refusal(code):
    return {"Error": {"Code": code, "Message": "no"}, "RequestId": "r"}


def _board(*peers, **changes):
    """(the path of a device_info.json, the network, the log)."""
    clock = fakes.Clock()
    net = fakes.network(clock, *peers)
    fakes.module("network", None)
    return fakes.device_info(**changes), net, fakes.log_lines()


def _stored(path):
    return json.loads(fakes.read(path))["key_deviceinfo"]["deviceSecret"]


def test_a_first_boot_stores_the_secret_before_it_logs_in():
    seen = []
    broker = fakes.Peer(lambda segment: seen.append(_stored(path)) or packets.CONNACK)
    gateway = _gateway()
    path, net, _ = _board(gateway, broker)
    device = Device(path)
    assert device.registered is False
    session = device.connect()
    assert session.connected is True and device.registered is True
    assert seen == [canaries.DEVICE_SECRET]
    assert gateway.closed, "never two connections at once"
    assert len(net.sockets) == 2
    report = json.loads(device.report()[len("dynreg: ") :])
    print(report)
    assert report["registered"] and report["stored"] and report["connected"]


def test_a_later_boot_does_not_register():
    broker = fakes.Peer(packets.CONNACK)
    secret = {"deviceSecret": canaries.DEVICE_SECRET}
    path, net, _ = _board(broker, key_deviceinfo=secret)
    before = fakes.read(path)
    device = Device(path)
    assert device.register() is False
    device.connect()
    assert len(net.sockets) == 1 and broker.segments[0][0] == 0x10
    assert fakes.read(path) == before


def test_a_refused_registration_is_tried_once_and_changes_nothing():
    path, net, _ = _board(_gateway(_refusal("Activated")), _gateway())
    before = fakes.read(path)
    fakes.raises(RegistrationError, Device(path).connect, 60, 0, code="register.refused")
    assert len(net.sockets) == 1 and fakes.read(path) == before


def test_what_may_pass_is_tried_again_after_a_while():
    broker = fakes.Peer(packets.CONNACK)
    peers = fakes.Peer(fault=OSError(111)), _gateway(_refusal("InternalError")), _gateway()
    path, net, _ = _board(*peers, broker)
    device = Device(path)
    assert device.connect(attempts=3).connected is True
    assert len(net.sockets) == 4
    assert peers[1].met - peers[0].met >= 5000 and peers[2].met - peers[1].met >= 5000


def test_so_many_attempts_and_no_more():
    for attempts in (1, 3):
        path, net, _ = _board()
        fakes.raises(NetworkError, Device(path).connect, 60, attempts, code="network.connect")
        assert len(net.sockets) == attempts
        fakes.restore()


def test_a_secret_that_cannot_be_stored_is_not_logged_in_with():
    path, net, _ = _board(_gateway(), fakes.Peer(packets.CONNACK))
    fakes.replace(credentials, "_text", lambda path: "what was not written")
    fakes.raises(StorageError, Device(path).connect, code="storage")
    assert len(net.sockets) == 1


def test_a_ca_file_that_is_none_is_found_before_anything_is_sent():
    for key in ("gatewayCa", "mqttCa"):
        path, net, _ = _board(_gateway(), endpoint={key: "/no/such/ca.der"})
        fakes.raises(ConfigError, Device(path).connect, code="config", says="/no/such/ca.der")
        assert net.sockets == []
        fakes.restore()


def test_a_ca_file_that_is_one():
    from binascii import a2b_base64

    ca = fakes.write(fakes.folder() + "/ca.der", a2b_base64(iothub.BASE64))
    path, _, _ = _board(_gateway(), fakes.Peer(packets.CONNACK), endpoint={"mqttCa": ca})
    assert Device(path).connect().connected is True
