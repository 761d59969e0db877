"""What takes a credential off the board: forgetting it, and burning the product secret."""

import canaries
import fakes
from dynreg.errors import ConfigError, StorageError
from dynreg.register import first_boot
from dynreg.storage import credentials, notes, store
from fake_flash import replaced
from kept import Kept, everywhere

# --- erasing ------------------------------------------------------------------------------------


def test_forget_erases_both_copies():
    for kept in everywhere():
        kept.registered()
        info = kept.info()
        credentials.load(info)
        store.forget(info, fakes.PRODUCT)
        assert info.credential is None
        assert kept.states() == ("missing", "missing") and kept.load() is None
        everything = fakes.files(kept.folder), kept.nvs and kept.nvs.blobs
        if kept.mode == "KEY":
            assert canaries.DEVICE_SECRET not in repr(everything)
        else:
            assert "PRIVATE KEY" not in repr(everything)
            assert fakes.read(kept.folder + "/certs/device_cert.pem").decode() == kept.value[0]


def test_forget_erases_what_was_noted():
    for kept in everywhere():
        kept.registered()
        notes.write(kept.path, {"day": 20000, "psk": 1, "early": 1})
        assert notes.read(kept.path)["day"] == 20000
        store.forget(kept.info(), fakes.PRODUCT)
        found = notes.read(kept.path)
        assert (found["day"], found["psk"], found["early"]) == (0, 0, 0)


def test_forget_takes_half_written_private_keys_too():
    for place in ("NVS", "file"):
        kept = Kept("CERT", place).registered()
        fakes.write(kept.folder + "/certs/device_key.pem.tmp", canaries.PRIVATE_KEY)
        store.forget(kept.info(), fakes.PRODUCT)
        assert "PRIVATE KEY" not in repr(fakes.files(kept.folder))
        fakes.restore()


def test_forget_reads_back_what_it_erased():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "NVS").registered()
        data = kept.data()
        fakes.replace(credentials, "from_nvs", lambda data=data: data)
        info = kept.info()
        fakes.raises(StorageError, store.forget, info, fakes.PRODUCT, code="storage", says="stays")
        fakes.restore()
        kept = Kept(mode, "file").registered()
        kept.flash.remove = lambda path: None
        info = kept.info()
        fakes.raises(StorageError, store.forget, info, fakes.PRODUCT, code="storage", says="stays")
        assert kept.load() == kept.value, "nothing else was erased"
        fakes.restore()
    kept = Kept("CERT", "NVS").registered()
    kept.flash.remove = lambda path: None
    info = kept.info()
    says = ("device_key.pem", "stays")
    fakes.raises(StorageError, store.forget, info, fakes.PRODUCT, code="storage", says=says)


def test_the_second_copy_goes_first_and_nvs_is_committed():
    for mode in ("KEY", "CERT"):
        for place, gone in (
            ("NVS", ["NVS erase credential", "NVS commit", "NVS erase notes"]),
            ("file", ["remove dynreg.rec"]),
        ):
            kept = Kept(mode, place).registered()
            info = kept.info()
            del kept.flash.calls[:]
            store.forget(info, fakes.PRODUCT)
            looks = ("NVS get credential", "NVS open")
            changes = [call for call in kept.flash.changes() if call not in looks]
            gone.extend(call for call in replaced("device_info.json") if call[:5] != "read ")
            if mode == "CERT":
                gone.append("remove device_key.pem")
            assert changes == gone, changes
            fakes.restore()


def test_forget_with_a_wrong_confirm_erases_nothing():
    for kept in everywhere():
        kept.registered()
        before = kept.all()
        for confirm in ("", "abcdefghij", "ABCDEFGHI", fakes.NAME, "ABCDEFGHIJ/dev-01", True):
            says = "nothing was erased"
            info = kept.info()
            fakes.raises(ConfigError, store.forget, info, confirm, code="argument", says=says)
            assert kept.all() == before, confirm


def test_forget_needs_a_confirm_also_where_the_second_copy_is_lost():
    for kept in everywhere():
        for spoil in (lambda kept: kept.set_data(None), Kept.damage_record):
            kept.registered()
            spoil(kept)
            before = kept.all()
            for confirm in ("", "/", None, "other"):
                info = kept.info()
                fakes.raises(ConfigError, store.forget, info, confirm, code="argument")
                assert kept.all() == before, confirm
            store.forget(kept.info(), fakes.PRODUCT)
            assert kept.states() == ("missing", "missing")


def test_forget_anothers_record_by_either_product_id():
    for confirm in (fakes.PRODUCT, "ZYXWVUTSRQ"):
        for kept in everywhere():
            kept.set(productId="ZYXWVUTSRQ")
            kept.registered()
            kept.lose_file()
            fakes.raises(ConfigError, kept.load, code="config.other")
            store.forget(kept.info(), confirm)
            assert kept.load() is None and kept.states() == ("missing", "missing")


def test_forget_where_there_is_nothing():
    for kept in everywhere():
        store.forget(kept.info(), fakes.PRODUCT)
        assert kept.states() == ("missing", "missing")


def test_a_forget_cut_in_between_heals_from_the_copy_that_is_left():
    for kept in everywhere():
        kept.registered()
        kept.flash.faults = {"write device_info.json.tmp": RuntimeError("power gone")}
        info = kept.info()
        fakes.raises(RuntimeError, store.forget, info, fakes.PRODUCT)
        kept.flash.faults = {}
        assert kept.states() == ("good", "missing")
        assert kept.load() == kept.value and kept.whole()


def test_forget_on_a_read_only_file_system_says_so():
    for kept in everywhere():
        kept.registered()
        kept.flash.read_only = True
        info = kept.info()
        fakes.raises(StorageError, store.forget, info, fakes.PRODUCT, code="storage")
        kept.flash.read_only = False
        assert kept.load() == kept.value and kept.whole()


def test_forget_where_nvs_does_not_erase_says_so():
    for mode in ("KEY", "CERT"):
        for call in ("NVS open", "NVS erase credential", "NVS commit"):
            kept = Kept(mode, "NVS").registered()
            before = kept.all()
            kept.flash.faults = {call: OSError(-4353)}
            info = kept.info()
            fakes.raises(StorageError, store.forget, info, fakes.PRODUCT, code="storage")
            assert kept.all() == before
            fakes.restore()


# --- burning the product secret -----------------------------------------------------------------


def test_burn_takes_the_product_secret_and_nothing_else():
    for kept in everywhere(burnProductSecret=True):
        kept.registered()
        text = fakes.read(kept.path).decode()
        info = kept.info()
        credentials.load(info)
        assert info.burn is True
        first_boot.run(info, None)
        assert info.product_secret is None
        expected = text.replace(canaries.PRODUCT_SECRET, "").encode()
        assert fakes.read(kept.path) == expected
        assert canaries.PRODUCT_SECRET not in repr(kept.all())
        assert kept.whole() and kept.load() == kept.value
        before = kept.all()
        info = kept.info()
        credentials.load(info)
        first_boot.run(info, None)
        assert kept.all() == before, "there is nothing left to burn"


def test_burn_only_while_both_copies_are_good():
    for spoil in (
        Kept.damage_file,
        Kept.damage_record,
        Kept.lose_file,
        lambda kept: kept.set_data(None),
        lambda kept: kept.edit(check=None),
    ):
        for kept in everywhere(burnProductSecret=True):
            kept.registered()
            spoil(kept)
            before = kept.all()
            info = kept.info()
            info.credential = kept.value
            first_boot.run(info, None)
            assert info.product_secret == canaries.PRODUCT_SECRET and kept.all() == before


def test_burn_on_a_read_only_file_system_says_so():
    for kept in everywhere(burnProductSecret=True):
        kept.registered()
        info, before = kept.info(), kept.all()
        kept.flash.read_only = True
        del kept.log[:]
        store.burn(info)
        assert kept.log[-1][0] == "ERROR" and "stays on this board" in kept.log[-1][1], kept.log
        assert kept.all() == before
