"""A bundle into a folder: what is packed, and what must not come out of one."""

import hashlib
import json
import sys
from binascii import hexlify

import fakes
from dynreg.errors import StorageError
from dynreg.services.ota import unpack

FILES = (("empty", b""), ("main.mpy", b"M\x06" + bytes(3000)), ("web/static/page.html", b"<p>"))


def line(value):
    return json.dumps(value).encode() + b"\n"


def entry(path, data, **other):
    digest = hexlify(hashlib.sha256(data).digest()).decode()
    return line([path, other.get("size", len(data)), other.get("digest", digest)]) + data


def head(**changes):
    mpy = getattr(sys.implementation, "_mpy", 6) & 255
    good = {"dynreg": 1, "version": "1.2", "mpy": mpy, "boots": 3, "seconds": 60}
    good["files"] = len(FILES)
    good.update(changes)
    return good


def bundle(*files):
    files = files or FILES
    return line(head(files=len(files))) + b"".join([entry(*file) for file in files])


def unpacked(data):
    """(what apply() would add to the state, the folder)."""
    place = fakes.folder()
    path = fakes.write(place + "/part", data)
    unpack.os.mkdir(place + "/app_b")
    with open(path, "rb") as file:
        return unpack._unpacked(file, "1.2", place + "/app_b/"), place + "/app_b"


def refused(data):
    """What is raised for it, and apply() makes "ota.bundle" of."""
    try:
        unpacked(data)
    except (ValueError, KeyError, TypeError, AttributeError, MemoryError, StorageError) as error:
        print("refused:", repr(error))
        return
    raise AssertionError(f"taken: {data[:200]}")


def need_mpy():
    if not hasattr(sys.implementation, "_mpy"):
        unpack.sys = fakes.Namespace(implementation=fakes.Namespace(_mpy=6))
        fakes.at_end(lambda: setattr(unpack, "sys", sys))


def test_each_file_comes_to_its_place():
    need_mpy()
    state, folder = unpacked(bundle())
    assert state == {"boots": 3, "seconds": 60}
    found = fakes.files(folder)
    assert found == {folder + "/" + path: data for path, data in FILES}


def test_nothing_leads_out_of_the_folder():
    need_mpy()
    for path in ("../x", "a/../../x", "..", "a/..", "x" * 97):
        refused(bundle((path, b"x")))


def test_what_is_no_bundle():
    need_mpy()
    good = bundle()
    for data in (
        b"",
        b"\n",
        b"\xe9\x05\x02" + bytes(600),
        b"[1]\n",
        b"null\n",
        b"{}\n",
        b"{" * 600,
        line(head(dynreg=2)) + good.partition(b"\n")[2],
        line(head(version="1.3")) + good.partition(b"\n")[2],
        line(head(mpy=5)) + good.partition(b"\n")[2],
        line(head(files=4)) + good.partition(b"\n")[2],
        line(head(files=2)) + good.partition(b"\n")[2],
        line(head(files="3")) + good.partition(b"\n")[2],
        line(head(boots=None)) + good.partition(b"\n")[2],
        line(head(seconds=[])) + good.partition(b"\n")[2],
        good + b"x",
        good[:-1],
    ):
        refused(data)


def test_a_file_that_is_not_as_packed():
    need_mpy()
    for one in (
        entry("a", b"data", digest="00" * 32),
        entry("a", b"data", digest=None),
        entry("a", b"data", size=5),
        entry("a", b"data", size=1 << 40),
        entry("a", b"data", size=-1),
        entry("a", b"data", size="4"),
        entry("a", b"data", size=None),
        line(["a", 4]) + b"data",
        line({"a": 4}) + b"data",
        line([7, 4, "x"]) + b"data",
    ):
        refused(line(head(files=1)) + one)


def test_every_byte_that_is_lost_is_seen():
    need_mpy()
    good = bundle(("a", b"some data"), ("b/c", b"more"))
    for size in range(len(good)):
        refused(good[:size])


def test_the_hash_of_the_whole():
    path = fakes.write(fakes.folder() + "/part", b"some data")
    digest = hexlify(hashlib.sha256(b"some data").digest()).decode()
    unpack.check(path, hashlib.sha256(), digest, "ota.hash")
    other = digest[1:] + digest[0]
    fakes.raises(
        StorageError, unpack.check, path, hashlib.sha256(), other, "ota.hash", code="ota.hash"
    )


def test_a_folder_is_cleared_with_all_in_it():
    folder = fakes.folder()
    unpack.os.mkdir(folder + "/app_b")
    unpack.os.mkdir(folder + "/app_b/web")
    fakes.write(folder + "/app_b/web/page", b"x")
    fakes.write(folder + "/app_b/main.mpy", b"x")
    unpack._clear(folder + "/app_b")
    assert not fakes.exists(folder + "/app_b")
    unpack._clear(folder + "/app_b")
