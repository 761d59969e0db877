"""Device: the first boot and the later ones, in the right order and without a secret said."""

import json

import canaries
import fakes
import gateway
import packets
from dynreg import Device
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError, LoginError, NetworkError, RegistrationError, StorageError
from dynreg.roots import iothub
from dynreg.storage import store
from kept import Kept, everywhere


def _gateway(refusal=None):
    """A Peer that answers one registration."""
    return fakes.Peer(gateway.http(refusal or gateway.good()))


def _refusal(code):
    return gateway.refusal(code, "no")


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


def test_a_typed_secret_is_kept_twice_only_after_a_login_with_it():
    refused = packets.CONNACK[:3] + b"\5"
    for place in ("NVS", "file"):
        net = fakes.network(fakes.Clock(), fakes.Peer(refused), fakes.Peer(packets.CONNACK))
        kept = Kept("KEY", place)
        fakes.module("network", None)
        kept.edit(deviceSecret=kept.value)
        before = fakes.files(kept.folder), kept.nvs and dict(kept.nvs.blobs)
        device = Device(kept.path)
        fakes.raises(LoginError, device.connect, code="login.5")
        assert (fakes.files(kept.folder), kept.nvs and kept.nvs.blobs) == before
        device.connect()
        assert kept.whole(), kept.states()
        assert len(net.sockets) == 2, "never registered"
        before = kept.all()
        del kept.flash.calls[:]
        Device(kept.path)
        written = [call for call in kept.flash.calls if call.split(" ")[0] == "write"]
        assert kept.all() == before and not written, kept.flash.calls
        fakes.restore()


def test_a_typed_secret_that_was_wrong_can_be_typed_again():
    # It was refused, so no second copy of it stands in the new one's way.
    refused = packets.CONNACK[:3] + b"\4"
    fakes.network(fakes.Clock(), fakes.Peer(refused), fakes.Peer(packets.CONNACK))
    kept = Kept("KEY", "NVS")
    fakes.module("network", None)
    kept.edit(deviceSecret=kept.other)
    fakes.raises(LoginError, Device(kept.path).connect, code="login.4")
    kept.edit(deviceSecret=kept.value)
    Device(kept.path).connect()
    assert kept.whole()


def test_a_later_boot_does_not_register():
    broker = fakes.Peer(packets.CONNACK)
    secret = {"deviceSecret": canaries.DEVICE_SECRET}
    path, net, _ = _board(broker, key_deviceinfo=secret)
    fakes.nvs()
    store.store(DeviceInfo(path), canaries.DEVICE_SECRET)
    before = fakes.read(path)
    device = Device(path)
    assert device.register() is False
    device.connect()
    assert len(net.sockets) == 1 and broker.segments[0][0] == 0x10
    assert fakes.read(path) == before


def test_a_refused_registration_is_tried_once_and_changes_nothing():
    path, net, _ = _board(_gateway(_refusal("Activated")), _gateway())
    before = fakes.read(path)
    fakes.raises(RegistrationError, Device(path).connect, 60, 1, code="register.refused")
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
    for lie in ("record", "file"):
        for kept in everywhere():
            if kept.mode == "KEY" and (kept.nvs or lie == "file"):
                net = fakes.network(fakes.Clock(), _gateway(), fakes.Peer(packets.CONNACK))
                fakes.module("network", None)
                device = Device(kept.path)

                def register(kept=kept, lie=lie, device=device):
                    # From here on the flash lies; before, it takes all that prepare() tries.
                    if lie == "record":
                        kept.nvs.lie = b"what was not written"
                    else:
                        kept.flash.lies[kept.path + ".tmp"] = b"what was not written"
                    return device.connect()

                fakes.raises(StorageError, register, code="storage")
                assert len(net.sockets) == 1


def test_a_ca_file_that_is_none_is_found_before_anything_is_sent():
    for key in ("gatewayCa", "mqttCa"):
        path, net, _ = _board(_gateway(), endpoint={key: "/no/such/ca.der"})
        fakes.raises(ConfigError, Device(path).connect, code="config", says="/no/such/ca.der")
        assert net.sockets == []
        fakes.restore()


def test_a_ca_file_that_is_one():
    ca = fakes.write(fakes.folder() + "/ca.der", iothub.certificate())
    path, _, _ = _board(_gateway(), fakes.Peer(packets.CONNACK), endpoint={"mqttCa": ca})
    assert Device(path).connect().connected is True


# --- before anything is sent --------------------------------------------------------------------


def _nothing_sent(kept, kind, code, says=()):
    """A first boot raises this with nothing sent and nothing changed."""
    net = fakes.network(fakes.Clock(), _gateway(), fakes.Peer(packets.CONNACK))
    fakes.module("network", None)
    before = kept.all()
    fakes.raises(kind, lambda: Device(kept.path).connect(), code=code, says=says)
    assert net.sockets == [] and net.lookups == [] and kept.all() == before


def test_a_full_flash_is_found_before_anything_is_sent():
    for kept in everywhere():
        kept.flash.limit = len(fakes.read(kept.path)) + 100
        _nothing_sent(kept, StorageError, "storage.full", (kept.path, "make room"))


def test_a_full_nvs_and_no_room_for_a_file_are_found_before_anything_is_sent():
    for kept in everywhere():
        if kept.nvs:
            kept.nvs.full = True
            kept.flash.faults = {"write dynreg.rec.try": OSError(28)}
            _nothing_sent(kept, StorageError, "storage.full")


def test_a_read_only_file_system_is_found_before_anything_is_sent():
    for kept in everywhere():
        kept.flash.read_only = True
        _nothing_sent(kept, StorageError, None, kept.path)


def test_a_product_secret_that_is_missing_is_found_before_anything_is_sent():
    for secret in ("YOUR_PRODUCT_SECRET", "", None):
        for kept in everywhere(productSecret=secret):
            _nothing_sent(kept, ConfigError, "config", ("productSecret", "not filled in"))


def test_another_boards_identity_stops_before_anything_is_sent():
    for changes in ({"productId": "ZYXWVUTSRQ"}, {"deviceName": "dev-02"}):
        for kept in everywhere():
            kept.registered()
            kept.lose_file()
            kept.set(**changes)
            _nothing_sent(kept, ConfigError, "config.other", ("Device.forget", fakes.NAME))


# --- the product secret off the board -----------------------------------------------------------


def test_burning_comes_after_both_copies_and_the_board_still_logs_in():
    seen = []

    def broker(kept):
        def answer(segment):
            seen.append((kept.values()["productSecret"], kept.states()))
            return packets.CONNACK

        return fakes.Peer(answer)

    for place in ("NVS", "file"):
        kept = Kept("KEY", place, burnProductSecret=True)
        fakes.network(fakes.Clock(), _gateway(), broker(kept), broker(kept))
        fakes.module("network", None)
        assert Device(kept.path).connect().connected is True
        assert [text for _, text in kept.log if "product secret is off this board" in text]
        del kept.log[:]
        device = Device(kept.path)
        assert device.connect().connected is True and device.registered_now is False
        assert not [text for _, text in kept.log if "product secret" in text]
        assert seen == [("", ("good", "good"))] * 2, seen
        del seen[:]
        fakes.restore()


def test_a_registered_board_burns_on_the_next_boot():
    kept = Kept("KEY", "NVS").registered()
    kept.set(burnProductSecret=True)
    fakes.network(fakes.Clock(), fakes.Peer(packets.CONNACK))
    fakes.module("network", None)
    Device(kept.path).connect()
    assert kept.values()["productSecret"] == "" and kept.whole()


def test_without_being_asked_nothing_is_burnt():
    for value in (False, None, "true", 1):
        kept = Kept("KEY", "NVS", burnProductSecret=value)
        fakes.network(fakes.Clock(), _gateway(), fakes.Peer(packets.CONNACK))
        fakes.module("network", None)
        Device(kept.path).connect()
        assert kept.values()["productSecret"] == canaries.PRODUCT_SECRET
        fakes.restore()


def test_a_burn_that_fails_does_not_stop_the_board():
    # The credential is stored by then: a login must follow, or the board lies dead for nothing.
    for place in ("NVS", "file"):
        kept = Kept("KEY", place).registered()
        kept.set(burnProductSecret=True)
        kept.flash.read_only = True
        fakes.network(fakes.Clock(), fakes.Peer(packets.CONNACK))
        fakes.module("network", None)
        assert Device(kept.path).connect().connected is True
        assert kept.whole()
        fakes.restore()


def test_a_burnt_and_forgotten_board_says_what_is_missing():
    for place in ("NVS", "file"):
        kept = Kept("KEY", place, burnProductSecret=True)
        fakes.network(fakes.Clock(), _gateway())
        fakes.module("network", None)
        Device(kept.path).register()
        Device.forget(fakes.PRODUCT, kept.path)
        _nothing_sent(kept, ConfigError, "config", ("productSecret", "not filled in"))
        kept.set(productSecret=canaries.PRODUCT_SECRET)
        fakes.network(fakes.Clock(), _gateway())
        assert Device(kept.path).register() is True
        fakes.restore()


# --- forget and status --------------------------------------------------------------------------


def test_forget_and_register_anew():
    for kept in everywhere():
        if kept.mode == "KEY":
            kept.registered(kept.other)
            fakes.raises(ConfigError, Device.forget, "other", kept.path, code="argument")
            assert Device(kept.path).registered is True
            Device.forget(confirm=fakes.PRODUCT, path=kept.path)
            assert [text for _, text in kept.log if "both copies erased" in text]
            fakes.network(fakes.Clock(), _gateway(), fakes.Peer(packets.CONNACK))
            fakes.module("network", None)
            device = Device(kept.path)
            assert device.registered is False and device.register() is True and kept.whole()


def _status(kept):
    """status() as a dict, line by line; no secret in it."""
    text = Device(kept.path).status()
    print(text)
    assert canaries.leaks(text) == []
    lines = text.split("\n")
    return {line[:12].strip(): line[13:] for line in lines}


def test_status_has_every_line_and_no_secret():
    for kept in everywhere():
        fakes.Clock()
        for registered in (False, True):
            if registered:
                kept.registered()
            status = _status(kept)
            assert sorted(status) == [
                "clock",
                "connection",
                "copy 1",
                "copy 2",
                "credential",
                "device",
                "firmware",
                "free memory",
                "registered",
            ]
            state = "good" if registered else "missing"
            place = "NVS dynreg/credential" if kept.nvs else kept.record
            assert status["device"] == f"{fakes.NAME} of product {fakes.PRODUCT}"
            assert status["copy 1"] == f"{kept.path}: {state}"
            assert status["copy 2"] == f"{place}: {state}"
            assert status["credential"].startswith(kept.mode + ",")
            assert (status["registered"] != "no") is registered
            assert status["connection"] == "none"
            assert status["clock"].startswith("2027-01-02") and "not set" not in status["clock"]
            assert "python" in status["firmware"] and status["free memory"].endswith(" bytes")
        parts = [kept.value] if kept.mode == "KEY" else kept.value
        from dynreg.storage.credentials import fingerprint

        assert fingerprint("".join(parts)) in status["credential"]
        assert status["registered"].startswith("2027-01-02 03:04:05")


def test_when_it_was_registered_outlives_a_heal_of_the_file():
    for kept in everywhere():
        fakes.Clock()
        kept.registered()
        kept.lose_file()
        fakes.Clock(unix=(fakes.NOW + 86400) * 1000)
        assert _status(kept)["registered"].startswith("2027-01-02")


def test_status_of_a_board_without_a_clock():
    kept = Kept("KEY", "NVS")
    fakes.Clock(unix=None)
    kept.registered()
    status = _status(kept)
    assert "(not set)" in status["clock"] and status["registered"] == "at a time unknown"


def test_status_of_a_connected_board():
    kept = Kept("KEY", "NVS").registered()
    fakes.network(fakes.Clock(), fakes.Peer(packets.CONNACK))
    fakes.module("network", None)
    device = Device(kept.path)
    device.connect()
    text = device.status()
    print(text)
    assert (
        "connection   verified-ca" in text and "copy 2       NVS dynreg/credential: good" in text
    )


def test_status_where_nvs_cannot_be_opened():
    kept = Kept("KEY", "NVS").registered()
    kept.flash.faults = {"NVS open": OSError(-4353, "ESP_ERR_NVS_NOT_INITIALIZED")}
    assert _status(kept)["copy 2"] == "NVS dynreg/credential: damaged"
