"""Works on a flash image while the board is off. Device side; run by the unix port as a script.

Standard input: one line of JSON, {"image", "size", "fs", "steps": [[what, path, host path]]}.
Prints one line of JSON: each step's result, or {"errno": n} of the first that failed.
"""

import json
import os
import sys

import _board
import flashdev
import vfs


def _step(what, path, host_path):
    if what == "list":
        return sorted([entry[0] for entry in os.ilistdir(path)])
    if what == "kind":
        return "dir" if os.stat(path)[0] & 0x4000 else "file"
    if what == "read":
        with open(path, "rb") as source, host.open(host_path, "wb") as sink:
            _copy(source, sink)
    elif what == "write":
        _make_folders(path)
        with host.open(host_path, "rb") as source, open(path, "wb") as sink:
            _copy(source, sink)
    elif what == "remove":
        os.remove(path)


def _copy(source, sink):
    while True:
        data = source.read(4096)
        if not data:
            return
        sink.write(data)


def _make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as error:
            if error.errno != 17:
                raise
        at = path.find("/", at + 1)


def _main(job):
    fat = job["fs"] == "fat"
    file = host.open(job["image"], "r+b")
    flash = flashdev.Flash(file, job["size"], 512 if fat else flashdev.BLOCK)
    vfs.umount("/")
    if job["steps"] and job["steps"][0][0] == "format":
        flashdev.make_file_system(flash, job["fs"])
        job["steps"].pop(0)
    vfs.mount(flashdev.file_system(flash, job["fs"]), "/")
    return [_step(*step) for step in job["steps"]]


host = vfs.VfsPosix()
_board.config.update({"cut": None, "writes": 0})
_board.send = lambda text: None
_board.count_read = lambda: None
try:
    _result = _main(json.loads(sys.stdin.readline()))
except OSError as error:
    _result = {"errno": error.errno}
print(json.dumps(_result))
