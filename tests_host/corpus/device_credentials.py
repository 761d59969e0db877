"""The credential's two copies: written in the right order, and no failure loses one."""

import json
import os

import canaries
import fakes
from dynreg.errors import StorageError
from dynreg.storage import credentials, store
from fake_flash import replaced
from kept import BLOB, Kept, everywhere

SECRET = canaries.DEVICE_SECRET


def test_an_empty_section_written_as_null():
    # Checked before the cloud gives a secret, so it must be taken after.
    for mode, key in (("KEY", "key_deviceinfo"), ("CERT", "cert_deviceinfo")):
        kept = Kept(mode, "NVS")
        kept.set(**{key: None})
        store.store(kept.info(), kept.value)
        assert kept.whole() and kept.load() == kept.value
        fakes.restore()


def test_a_stored_credential_is_read_again():
    for kept in everywhere():
        assert kept.load() is None
        info = kept.info()
        store.store(info, kept.value)
        assert info.credential == kept.value
        assert kept.whole() and kept.load() == kept.value


def test_the_record_holds_owner_and_credential_and_a_crc():
    from binascii import crc32

    for kept in everywhere():
        fakes.Clock()
        data = kept.registered().data()
        assert int.from_bytes(data[:4], "big") == crc32(data[4:])
        owner, when, *parts = json.loads(data[4:])
        assert (owner, when) == (fakes.PRODUCT + "/" + fakes.NAME, fakes.NOW)
        assert tuple(parts) == ((kept.value,) if kept.mode == "KEY" else kept.value)
        if kept.nvs:
            assert list(kept.nvs.blobs) == [BLOB] and not fakes.exists(kept.record)
        else:
            assert sorted(os.listdir(kept.folder))[-1] == "dynreg.rec"


# --- the order of things ------------------------------------------------------------------------


NVS_WRITTEN = [
    "NVS open",
    "NVS set credential",
    "NVS commit",
    "NVS open",
    "NVS get credential",
]


def _rewritten(name):
    """What changes a file that is there, or may be."""
    calls = ["read " + name]
    calls.extend(replaced(name))
    return calls


def _calls(mode, place):
    kept = Kept(mode, place)
    info = kept.info()
    fakes.replace(credentials, "place", lambda path: "where the log says")
    del kept.flash.calls[:]
    store.store(info, kept.value)
    print(kept.flash.calls)
    return kept.flash.calls


def test_the_second_copy_first_and_each_read_back_before_the_next():
    for place in ("NVS", "file"):
        first = NVS_WRITTEN if place == "NVS" else replaced("dynreg.rec")
        got = _calls("KEY", place)
        assert got == first + _rewritten("device_info.json"), got
        fakes.restore()


def test_the_certificates_files_between_record_and_device_info():
    for place in ("NVS", "file"):
        first = NVS_WRITTEN if place == "NVS" else replaced("dynreg.rec")
        files = _rewritten("device_cert.pem") + _rewritten("device_key.pem")
        files.insert(1, "mkdir certs")
        got = _calls("CERT", place)
        assert got == first + files + _rewritten("device_info.json"), got
        fakes.restore()


def test_long_records_are_read_back_whole():
    # The first buffer is for a device secret; a certificate with its key needs the second.
    kept = Kept("CERT", "NVS")
    kept.value = tuple(pem.replace("\n", "\n" * 400) for pem in kept.value)
    kept.registered()
    assert len(kept.data()) > 4096 and kept.load() == kept.value


# --- a flash that lies, is full or worn ---------------------------------------------------------


def _lie(kept, path, lie):
    """store() where path does not read back."""
    kept.flash.lies[path] = lie
    info = kept.info()
    fakes.raises(StorageError, store.store, info, kept.value, code="storage")


def test_a_flash_that_lies_about_the_temporary_file_keeps_the_old_one():
    for lie in (b"", b"{}", json.dumps(fakes.values()), b"\xff\xfe\xff"):
        for mode in ("KEY", "CERT"):
            kept = Kept(mode, "NVS")
            before = fakes.read(kept.path)
            _lie(kept, kept.path + ".tmp", lie)
            assert fakes.read(kept.path) == before, lie
            # The board is registered all the same: the second copy came first.
            kept.flash.lies.clear()
            assert kept.load() == kept.value and kept.whole()
            fakes.restore()


def test_a_flash_that_lies_about_a_certificates_file_does_not_name_it():
    for name in ("device_cert.pem", "device_key.pem"):
        kept = Kept("CERT", "NVS")
        before = fakes.read(kept.path)
        os.mkdir(kept.folder + "/certs")
        _lie(kept, f"{kept.folder}/certs/{name}.tmp", b"rubbish")
        assert fakes.read(kept.path) == before, name
        fakes.restore()


def test_a_flash_that_lies_about_the_file_itself():
    kept = Kept("KEY", "NVS")
    text = fakes.read(kept.path)

    def rename(old, new):
        os.rename(old, new)
        kept.flash.lies[kept.path] = text  # from now on the old text comes back

    kept.flash.rename = rename
    error = fakes.raises(StorageError, store.store, kept.info(), SECRET, code="storage")
    assert kept.path in str(error)
    assert json.loads(fakes.read(kept.path))["key_deviceinfo"]["deviceSecret"] == SECRET


def test_a_record_that_does_not_read_back_stops_all_but_the_other_copy():
    for mode in ("KEY", "CERT"):
        for lie in (b"", b"\0" * 100):
            kept = Kept(mode, "NVS")
            kept.nvs.lie = lie
            info = kept.info()
            fakes.raises(StorageError, store.store, info, kept.value, code="storage", says="NVS")
            assert credentials.in_file(kept.info()) == ("good", kept.value)
            fakes.restore()
        kept = Kept(mode, "file")
        _lie(kept, kept.record + ".tmp", b"lie")
        assert credentials.in_file(kept.info()) == ("good", kept.value)
        assert not fakes.exists(kept.record)
        fakes.restore()


def test_a_flash_that_is_full_or_worn_keeps_the_old_file():
    for kept in everywhere():
        for call in (
            "write device_info.json.tmp",
            "sync",
            "read device_info.json.tmp",
            "rename device_info.json.tmp device_info.json",
        ):
            before = fakes.read(kept.path)
            kept.flash.faults = {call: OSError(28)}  # ENOSPC, which MicroPython's errno lacks
            info = kept.info()
            fakes.raises(StorageError, store.store, info, kept.value, code="storage")
            assert fakes.read(kept.path) == before, call


def test_a_second_copy_that_cannot_be_written_is_a_storage_error():
    for kept in everywhere():
        for call in ("NVS open", "write dynreg.rec.tmp"):
            if call.startswith("NVS") == bool(kept.nvs):
                kept.flash.faults = {call: OSError(5)}
                info = kept.info()
                fakes.raises(StorageError, store.store, info, kept.value, code="storage")
                # The cloud has given it: one copy is better than none.
                assert credentials.in_file(kept.info()) == ("good", kept.value), call


def test_what_nvs_does_not_take_goes_into_a_file():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "NVS")
        kept.registered(kept.other)
        kept.nvs.full = True
        kept.registered()
        assert not kept.nvs.blobs
        assert kept.states() == ("good", "good")
        kept.lose_file()
        assert kept.load() == kept.value
        fakes.restore()


def test_what_nvs_takes_again_leaves_no_file():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "NVS")
        kept.nvs.full = True
        kept.registered(kept.other)
        assert credentials.place(kept.path) == kept.record
        kept.nvs.full = False
        kept.registered()
        assert credentials.size(kept.record) < 0
        assert kept.whole()
        fakes.restore()


def test_forget_erases_the_file_of_a_full_nvs():
    kept = Kept("KEY", "NVS")
    kept.nvs.full = True
    kept.registered()
    store.forget(kept.info(), fakes.PRODUCT)
    assert kept.states() == ("missing", "missing")
    assert credentials.size(kept.record) < 0


# --- making sure before the cloud is asked ------------------------------------------------------


def test_prepare_leaves_nothing_behind():
    for kept in everywhere():
        info, before = kept.info(), kept.all()
        del kept.flash.calls[:]
        store.prepare(info)
        assert kept.all() == before
        calls = kept.flash.calls
        tried = [call[6:] for call in calls if call.startswith("write device_info.json.")]
        assert len(tried) == 1 and "remove " + tried[0] in calls, calls
        if kept.nvs:
            at = calls.index("NVS set trial")
            wanted = ["NVS set trial", "NVS commit", "NVS erase trial", "NVS commit"]
            assert calls[at : at + 4] == wanted, calls


def test_prepare_finds_a_full_flash():
    for kept in everywhere():
        kept.flash.limit = len(fakes.read(kept.path)) + (400 if kept.mode == "KEY" else 4000)
        info = kept.info()
        says = (kept.path, "make room")
        fakes.raises(StorageError, store.prepare, info, code="storage.full", says=says)


def test_prepare_that_fails_takes_its_own_file_away():
    for kept in everywhere():
        kept.flash.limit = 100
        info, before = kept.info(), kept.all()
        fakes.raises(StorageError, store.prepare, info, code="storage.full")
        assert kept.all() == before


def test_prepare_goes_on_with_a_full_nvs_where_a_file_has_room():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "NVS")
        kept.nvs.full = True
        info, before = kept.info(), kept.all()
        store.prepare(info)
        assert kept.all() == before
        kept.flash.faults = {"write dynreg.rec.try": OSError(28)}
        fakes.raises(StorageError, store.prepare, info, code="storage.full")
        assert kept.all() == before
        fakes.restore()


def test_prepare_asks_for_as_much_as_a_certificate_takes():
    # A real reply had 3011 bytes (docs/protocol.md, 3); the record is JSON of the same.
    for place in ("NVS", "file"):
        sizes = []
        kept = Kept("CERT", place)
        fakes.replace(store, "_trial_file", lambda path, size, sizes=sizes: sizes.append(size))
        if kept.nvs:
            fakes.replace(store, "bytes", lambda size, sizes=sizes: sizes.append(size) or b"")
        store.prepare(kept.info())
        assert len(sizes) == 2 and min(sizes) >= 4096, sizes
        fakes.restore()


def test_prepare_tries_the_second_copys_file_too():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "file")
        info, before = kept.info(), kept.all()
        store.prepare(info)
        written = [call[6:] for call in kept.flash.calls if call.startswith("write dynreg.rec")]
        assert written and kept.all() == before
        # A cut in between leaves it there: recover() must not take zeros for the record.
        assert written != ["dynreg.rec.tmp"], written
        kept.flash.faults = {"write " + written[0]: OSError(28)}
        fakes.raises(StorageError, store.prepare, info, code="storage.full")
        assert kept.all() == before
        fakes.restore()


def test_prepare_finds_a_read_only_file_system():
    for kept in everywhere():
        kept.flash.read_only = True
        info, before = kept.info(), kept.all()
        error = fakes.raises(StorageError, store.prepare, info)
        assert error.code in ("storage.full", "storage") and kept.path in str(error)
        assert kept.all() == before


# --- after a power cut --------------------------------------------------------------------------


def test_a_temporary_record_that_was_cut_off_never_was_in_force():
    # The board may register: the cut came before anything could log in.
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "file").registered()
        data = kept.data()
        kept.set_data(None)
        kept.lose_file()
        for size in range(0, len(data), 5):
            fakes.write(kept.record + ".tmp", data[:size])
            assert kept.states() == ("missing", "missing"), size
            assert kept.load() is None and not fakes.exists(kept.record)
        fakes.write(kept.record + ".tmp", b"\xff" * len(data))
        assert kept.states() == ("missing", "missing") and kept.load() is None
        fakes.write(kept.record + ".tmp", data)
        assert kept.load() == kept.value and kept.whole()
        fakes.restore()


def test_a_temporary_certificate_that_was_cut_off_never_was_in_force():
    for place in ("NVS", "file"):
        kept = Kept("CERT", place).registered()
        path = kept.folder + "/certs/device_key.pem"
        data = fakes.read(path)
        os.remove(path)
        for size in range(0, len(data) - 1, 5):
            fakes.write(path + ".tmp", data[:size])
            assert kept.states() == ("damaged", "good"), size
            assert not fakes.exists(path), size
        assert kept.load() == kept.value and kept.whole()
        fakes.restore()


def test_recover_leaves_a_file_alone_that_is_there():
    kept = Kept("CERT", "file").registered()
    before = fakes.read(kept.record)
    os.rename(kept.folder + "/certs/device_key.pem", kept.record + ".tmp")  # whole by itself
    credentials.recover(kept.record)
    assert fakes.read(kept.record) == before


def test_recover_with_nothing_there():
    path = fakes.folder() + "/device_info.json"
    credentials.recover(path)
    assert not fakes.exists(path)


def test_a_lone_temporary_record_is_the_record():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "file").registered()
        os.rename(kept.record, kept.record + ".tmp")
        kept.lose_file()
        assert kept.load() == kept.value and kept.whole()
        fakes.restore()


def test_a_lone_temporary_certificate_is_the_certificate():
    kept = Kept("CERT", "NVS").registered()
    for name in ("device_cert.pem", "device_key.pem"):
        path = f"{kept.folder}/certs/{name}"
        os.rename(path, path + ".tmp")
        assert kept.states() == ("good", "good") and kept.whole()


def test_what_a_cut_left_of_a_record_does_not_come_back_after_forget():
    for mode in ("KEY", "CERT"):
        kept = Kept(mode, "file").registered()
        fakes.write(kept.record + ".tmp", kept.data())
        store.forget(kept.info(), fakes.PRODUCT)
        assert kept.load() is None
        fakes.restore()
