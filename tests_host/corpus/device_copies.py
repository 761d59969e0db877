"""The table "What loading does" of docs/credentials.md, row by row, in both modes and places."""

import json

import canaries
import fakes
from dynreg import Device
from dynreg.errors import ConfigError, StorageError
from dynreg.storage import credentials, store
from dynreg.storage.credentials import fingerprint
from kept import Kept, everywhere


def _print(value):
    return fingerprint(value if isinstance(value, str) else "".join(value))


def _without_check(kept):
    kept.edit(check=None)


def _lose_record(kept):
    kept.set_data(None)


def _stays(kept, kind, code, says=()):
    """load() raises this and changes nothing; nor does a Device, which sends nothing either."""
    before = kept.all()
    info = kept.info()
    error = fakes.raises(kind, credentials.load, info, code=code, says=says)
    assert info.credential is None
    assert kept.all() == before, "something was overwritten"
    net = fakes.network(fakes.Clock())
    fakes.raises(kind, Device, kept.path, code=code)
    assert net.sockets == [] and kept.all() == before
    return error


def _heals(kept, *words):
    """load() finds the credential, makes both copies whole and says what was wrong."""
    del kept.log[:]
    assert kept.load() == kept.value
    assert kept.whole(), kept.states()
    for word in words:
        assert [text for _, text in kept.log if word in text and "healed" in text], kept.log
    before = kept.all()
    del kept.log[:]
    assert kept.load() == kept.value and kept.all() == before and not kept.log, "once is enough"


# --- the rows -----------------------------------------------------------------------------------


def test_missing_and_missing_is_not_registered():
    for kept in everywhere():
        before = kept.all()
        assert kept.load() is None and kept.states() == ("missing", "missing")
        assert Device(kept.path).registered is False
        changes = [call for call in kept.flash.changes() if call[:3] != "NVS"]
        assert kept.all() == before and not changes, changes


def test_good_and_good_goes_on_and_writes_nothing():
    for kept in everywhere():
        kept.registered()
        before = kept.all()
        assert kept.load() == kept.value and kept.all() == before
        written = [call for call in kept.flash.calls if call.split(" ")[0] in ("write", "rename")]
        assert not written and "NVS set credential" not in kept.flash.calls, kept.flash.calls


def test_a_missing_first_copy_is_healed_from_the_second():
    for kept in everywhere():
        kept.registered()
        kept.lose_file()
        assert kept.states() == ("missing", "good")
        _heals(kept, kept.path + " was missing")


def test_a_damaged_first_copy_is_healed_from_the_second():
    for kept in everywhere():
        kept.registered()
        kept.damage_file()
        assert kept.states() == ("damaged", "good")
        _heals(kept, kept.path + " was damaged")


def test_a_certificates_file_that_is_gone_is_healed_from_the_second():
    import os

    for place in ("NVS", "file"):
        for names in (("cert",), ("key",), ("cert", "key")):
            kept = Kept("CERT", place).registered()
            for name in names:
                os.remove(f"{kept.folder}/certs/device_{name}.pem")
            assert kept.states() == ("damaged", "good")
            _heals(kept, kept.path + " was damaged")
            fakes.restore()


def test_a_missing_second_copy_is_healed_from_the_first():
    for kept in everywhere():
        kept.registered()
        kept.set_data(None)
        assert kept.states() == ("good", "missing")
        _heals(kept, "second copy was missing")


def test_a_damaged_second_copy_is_healed_from_the_first():
    for kept in everywhere():
        kept.registered()
        good = kept.data()
        for data in (b"", b"\0", good[:3], good[:4], good[:-1], good[1:], b"\xff" * len(good)):
            kept.set_data(data)
            assert kept.states() == ("good", "damaged"), data
            _heals(kept, "second copy was damaged")
        for at in range(0, len(good), 7):
            flipped = bytearray(good)
            flipped[at] ^= 0x20
            kept.set_data(bytes(flipped))
            assert kept.states() == ("good", "damaged"), at
        _heals(kept, "second copy was damaged")


def test_typed_by_a_person_is_taken_as_it_is_and_kept_only_after_a_login():
    for spoil in (_lose_record, Kept.damage_record):
        for kept in everywhere(productSecret=None):
            kept.registered()
            _without_check(kept)
            spoil(kept)
            state = kept.states()
            assert state[0] == "unchecked"
            before = kept.all()
            assert kept.load() == kept.value and kept.all() == before
            info = kept.info()
            assert credentials.load(info) == state
            store.heal(info, *state)  # as Device.connect() does
            assert kept.whole(), kept.states()


def test_typed_beside_a_placeholder_check_too():
    for check in ("", None):
        kept = Kept("KEY", "NVS")
        kept.edit(deviceSecret=kept.value, check=check)
        before = kept.all()
        assert kept.load() == kept.value and kept.all() == before
        fakes.restore()


def test_a_placeholder_or_a_mask_is_no_secret():
    for secret in (
        "YOUR_DEVICE_SECRET",
        "your_device_secret",
        "Your-Device-Secret",
        "yourDeviceSecret",
        "deviceSecret",
        "DEVICE_SECRET",
        "device secret",
        "insert-key-here",
        "changeme",
        "REPLACE_ME",
        "placeholder",
        "example",
        "undefined",
        "null",
        "None",
        "todo",
        "x",
        "xxxx",
        "XXXXXXXXXXXXXXXXXXXXXX==",
        "xxxx-xxxx-xxxx",
        "0000",
        "****",
        "Y2Fu****************ZXk=",
        "...",
        "\u2026",
        "Y2Fu\u2026ZXk=",
        "\u2022" * 8,
        "<deviceSecret>",
        "<your key 1>",
        "${DEVICE_SECRET_1}",
        "$DEVICE_KEY_1",
        "{{ key1 }}",
        "",
    ):
        for check in ("", "00000000", None):
            kept = Kept("KEY", "NVS")
            kept.edit(deviceSecret=secret, check=check)
            assert kept.states() == ("missing", "missing"), secret
            assert kept.load() is None, secret
            fakes.restore()
        kept = Kept("KEY", "NVS", productSecret=secret)
        assert kept.info().product_secret is None, secret
        fakes.restore()


def test_no_secret_that_the_cloud_gave_is_a_placeholder():
    # Its check stands beside it: whatever it looks like, it is the device's.
    for secret in ("AAAA", "yourDeviceSecret", "changemechangeme"):
        for place in ("NVS", "file"):
            kept = Kept("KEY", place).registered(secret)
            assert kept.states() == ("good", "good") and kept.load() == secret
            kept.set_data(None)
            assert kept.load() == secret and kept.states() == ("good", "good")
            fakes.restore()


def test_a_secret_by_chance_is_no_placeholder():
    for secret in ("u7YourDeviceSecretAA9w==", "MTIzNDU2Nzg=", "YWFhYWFhYWFhYWFhYWFhYQ=="):
        kept = Kept("KEY", "NVS", productSecret=None)
        kept.edit(deviceSecret=secret)
        assert kept.load() == secret
        fakes.restore()


def test_a_check_that_is_missing_is_added():
    for kept in everywhere():
        kept.registered()
        record_before = kept.data()
        _without_check(kept)
        assert kept.states() == ("unchecked", "good")
        _heals(kept, kept.path + " was unchecked")
        assert kept.data() == record_before, "the second copy was good as it was"


def test_two_different_credentials_stop_the_board():
    for without in (False, True):
        for kept in everywhere():
            kept.registered(kept.other)
            record_before = kept.data()
            kept.registered()
            kept.set_data(record_before)
            if without:
                _without_check(kept)
            states = ("unchecked" if without else "good", "good")
            assert kept.states() == states
            says = (_print(kept.value), _print(kept.other), kept.path)
            error = _stays(kept, StorageError, "storage.two", says)
            assert str(error).index(_print(kept.value)) < str(error).index(_print(kept.other))


def test_after_storage_two_a_placeholder_keeps_the_second():
    for kept in everywhere():
        kept.registered(kept.other)
        record_before = kept.data()
        kept.registered()
        kept.set_data(record_before)
        kept.lose_file()
        assert kept.load() == kept.other


def test_anothers_second_copy_stops_the_board():
    # Whatever the first copy says.
    for owner in ({"productId": "ZYXWVUTSRQ"}, {"deviceName": "dev-02"}):
        for spoil in (Kept.lose_file, Kept.damage_file, _without_check, lambda kept: None):
            for kept in everywhere():
                kept.set(**owner)
                kept.registered()
                kept.set(productId=fakes.PRODUCT, deviceName=fakes.NAME)
                spoil(kept)
                wanted = owner.get("productId", fakes.PRODUCT) + "/"
                wanted += owner.get("deviceName", fakes.NAME)
                says = (wanted, fakes.PRODUCT + "/" + fakes.NAME, kept.path)
                _stays(kept, ConfigError, "config.other", says)


def test_names_that_read_the_same_when_written_together_are_two():
    for kept in everywhere():
        kept.set(productId="ABCDEFGHIJd", deviceName="ev-01")
        kept.registered()
        kept.lose_file()
        _stays(kept, ConfigError, "config.other")


def test_a_first_copy_of_another_board_is_damaged():
    # Its check is bound to product id and name: a file copied from board to board is noticed.
    for owner in ({"productId": "ZYXWVUTSRQ"}, {"deviceName": "dev-02"}):
        for kept in everywhere():
            kept.set(**owner)
            kept.registered()
            kept.set_data(None)
            kept.set(productId=fakes.PRODUCT, deviceName=fakes.NAME)
            assert kept.states() == ("damaged", "missing")
            _stays(kept, StorageError, "storage.damaged")


def test_missing_and_damaged_never_registers():
    for kept in everywhere():
        kept.registered()
        kept.lose_file()
        kept.damage_record()
        _stays(kept, StorageError, "storage.damaged", (kept.path, "missing", "damaged", "forget"))


def test_damaged_and_damaged_never_registers():
    for kept in everywhere():
        kept.registered()
        kept.damage_file()
        kept.damage_record()
        _stays(kept, StorageError, "storage.damaged", (kept.path, "damaged", "backup"))


def test_damaged_and_missing_never_registers():
    for kept in everywhere():
        kept.registered()
        kept.damage_file()
        kept.set_data(None)
        _stays(kept, StorageError, "storage.damaged", (kept.path, "damaged", "missing"))


# --- what is not in the table -------------------------------------------------------------------


def test_a_heal_that_fails_is_reported_and_the_board_goes_on():
    for spoil, read_only in (
        (Kept.lose_file, True),
        (Kept.damage_file, True),
        (_lose_record, "file"),
        (Kept.damage_record, "file"),
    ):
        for kept in everywhere():
            kept.registered()
            spoil(kept)
            before = kept.all()
            kept.flash.read_only = True
            if kept.nvs:
                kept.nvs.full = read_only == "file"
            assert kept.load() == kept.value and kept.all() == before
            failed = [text for level, text in kept.log if "cannot be healed" in text]
            assert len(failed) == 1 and "ERROR" in [level[:5] for level, _ in kept.log], kept.log
            assert Device(kept.path).registered is True


def test_a_heal_that_nvs_does_not_take_goes_into_a_file():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "NVS").registered()
        kept.set_data(None)
        kept.nvs.full = True
        assert kept.load() == kept.value
        assert kept.states() == ("good", "good")
        assert [text for _, text in kept.log if text.endswith("healed")]
        fakes.restore()


def test_an_nvs_that_cannot_be_read_is_a_damaged_copy():
    for call in ("NVS open", "NVS get credential"):
        for mode in ("KEY", "CERT"):
            kept = Kept(mode, "NVS").registered()
            kept.flash.faults = {call: OSError(-4353, "ESP_ERR_NVS_NOT_INITIALIZED")}
            assert kept.states() == ("good", "damaged")
            assert kept.load() == kept.value
            assert [text for _, text in kept.log if "cannot be healed" in text]
            kept.lose_file()
            _stays(kept, StorageError, "storage.damaged")
            fakes.restore()


def test_another_auth_mode_than_the_boards_stops_it():
    # The other mode's credential must not be taken for this one's.
    for kept in everywhere():
        kept.registered()
        mode = "CERT" if kept.mode == "KEY" else "KEY"
        kept.set(auth_mode=mode)
        before = kept.all()
        info = kept.info()
        try:
            credentials.load(info)
        except (ConfigError, StorageError) as error:
            print(error)
        else:
            raise AssertionError("taken: " + mode)
        assert kept.all() == before


def test_a_record_that_is_whole_but_none_is_damaged():
    from binascii import crc32

    for kept in everywhere():
        kept.registered()
        owner = fakes.PRODUCT + "/" + fakes.NAME
        for text in ("", "null", "5", "[]", "{}", json.dumps([owner, 0]), '["a"'):
            data = text.encode()
            kept.set_data(crc32(data).to_bytes(4, "big") + data)
            assert kept.states() == ("good", "damaged"), text
        _heals(kept, "second copy was damaged")


def test_where_the_second_copy_is_in_words():
    for kept in everywhere():
        words = credentials.place(kept.path)
        assert words == ("NVS dynreg/credential" if kept.nvs else kept.record), words


def test_a_path_without_a_folder():
    import os

    for mode in ("KEY", "CERT"):
        for place in ("NVS", "file"):
            kept = Kept(mode, place)
            here = os.getcwd()
            fakes.at_end(lambda here=here: os.chdir(here))
            os.chdir(kept.folder)
            kept.path = "device_info.json"
            store.prepare(kept.info())
            store.store(kept.info(), kept.value)
            assert kept.load() == kept.value and kept.states() == ("good", "good")
            if place == "file":
                assert fakes.exists("dynreg.rec")
            fakes.restore()


def test_no_message_holds_a_credential():
    # What _stays and _heals print is searched by secret_search.py; here all in one place.
    kept = Kept("CERT", "NVS").registered()
    text = Device(kept.path).status()
    print(text)
    for secret in (canaries.PRIVATE_KEY, canaries.PRODUCT_SECRET, canaries.WIFI_PASSWORD):
        assert secret not in text
