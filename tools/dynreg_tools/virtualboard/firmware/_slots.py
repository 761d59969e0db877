"""Two OTA slots beside the flash image, and what the bootloader does with them. Device side.

A file for each slot, and otadata.json: the slot that starts, and how each image stands. As with
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE, a new image has one start to call
mark_app_valid_cancel_rollback(); then the other starts again. What an image holds is never run:
the board's MicroPython is the same whichever slot it has started from.
"""

import json

import _board

LABELS = ("ota_0", "ota_1")
SIZE = 0x180000
BLOCK = 4096
_NEW, _PENDING, _VALID, _ABORTED = "new", "pending", "valid", "aborted"
_SOFT_RESET = 5  # which is no start of the bootloader


def path(name):
    """On the host, beside the flash image."""
    return _board.config["image"].rsplit("/", 1)[0] + "/" + name


def load():
    try:
        with _board.host.open(path("otadata.json"), "r") as file:
            return json.loads(file.read())
    except OSError:
        return {"boot": 0, "states": [_VALID, _ABORTED]}


def save(data):
    """In one step, as the two copies of otadata have it; counts as one flash operation."""
    _board.flash_operation(lambda state: None)
    with _board.host.open(path("otadata.new"), "w") as file:
        file.write(json.dumps(data))
    _board.host.rename(path("otadata.new"), path("otadata.json"))


def start():
    """The bootloader: the number of the slot that runs from now on."""
    data = load()
    states, boot = data["states"], data["boot"]
    if _board.config["cause"] == _SOFT_RESET:
        return boot
    if states[boot] == _PENDING:
        states[boot] = _ABORTED
        data["boot"] = boot = 1 - boot
        save(data)
    elif states[boot] == _NEW:
        states[boot] = _PENDING
        save(data)
    return boot


def choose(number):
    """From the next start on; OSError where no image is there."""
    buffer = bytearray(1)
    read(number, 0, buffer)
    data = load()
    if buffer[0] != 0xE9 and data["states"][number] != _VALID:
        raise OSError(-0x1503, "ESP_ERR_OTA_VALIDATE_FAILED")
    data["boot"] = number
    if data["states"][number] != _VALID:
        data["states"][number] = _NEW
    save(data)


def confirm():
    data = load()
    if data["states"][data["boot"]] != _VALID:
        data["states"][data["boot"]] = _VALID
        save(data)


def read(number, offset, buffer):
    buffer[:] = b"\xff" * len(buffer)
    try:
        with _board.host.open(path(LABELS[number] + ".bin"), "rb") as file:
            file.seek(offset)
            data = file.read(len(buffer))
    except OSError:
        return
    buffer[: len(data)] = data


def write(number, offset, data):
    """Erases and programs; half of it where the power goes."""
    name = path(LABELS[number] + ".bin")
    _board.flash_operation(lambda state: _put(name, offset, memoryview(data)[: len(data) // 2]))
    _put(name, offset, data)


def _put(name, offset, data):
    try:
        file = _board.host.open(name, "r+b")
    except OSError:
        file = _board.host.open(name, "w+b")
    with file:
        file.seek(offset)
        file.write(data)
