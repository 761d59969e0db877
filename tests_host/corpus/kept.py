"""A board's two copies of the credential, in every mode and place: where tests of them begin."""

import json
import os

import canaries
import fakes
from dynreg.device import DeviceInfo
from dynreg.storage import credentials, store

CREDENTIALS = {"KEY": canaries.DEVICE_SECRET, "CERT": canaries.PAIR}
OTHERS = {
    "KEY": "b3RoZXItc2VjcmV0LW90aGVy",
    "CERT": (canaries.CERTIFICATE.replace("MIIB", "MIIC"), canaries.PRIVATE_KEY),
}
PLACEHOLDERS = {
    "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
    "cert_deviceinfo": {
        "devCaFile": "YOUR_CA_FILE_NAME",
        "devCertFile": "YOUR_DEVICE_CERT_FILE_NAME",
        "devPrivateKeyFile": "YOUR_DEVICE_PRIVATE_KEY_FILE_NAME",
    },
}
BLOB = "dynreg/credential"


class Kept:
    """A device_info.json with what belongs to it; log: the lines from now on.

    mode: "KEY" or "CERT". place: "NVS" or "file", where the second copy is kept.
    """

    def __init__(self, mode, place, **changes):
        self.mode, self.place = mode, place
        self.value, self.other = CREDENTIALS[mode], OTHERS[mode]
        self.flash = fakes.Flash()
        self.nvs = fakes.nvs(self.flash) if place == "NVS" else fakes.module("esp32", None)
        self.section = "key_deviceinfo" if mode == "KEY" else "cert_deviceinfo"
        self.changes = dict(PLACEHOLDERS, auth_mode=mode, **changes)
        self.path = fakes.device_info(**self.changes)
        self.folder = self.path.rsplit("/", 1)[0]
        self.record = self.folder + "/dynreg.rec"
        self.log = fakes.log_lines()

    def registered(self, value=None):
        """Both copies made; self."""
        store.store(self.info(), value or self.value)
        del self.flash.calls[:]
        return self

    def info(self):
        """DeviceInfo as after a reset."""
        return DeviceInfo(self.path)

    def load(self):
        """The credential that load() finds; what ails a copy is healed, as Device does."""
        info = self.info()
        ails = credentials.load(info)
        if any(ails) and not all(ails):
            store.heal(info, *ails)
        return info.credential

    def states(self):
        info = self.info()
        return credentials.in_file(info)[0], credentials.in_record(info)[0]

    def whole(self):
        """Whether both copies hold the right credential, looked at without dynreg's help."""
        values = self.values()[self.section]
        data = self.data()
        owner, _, *parts = json.loads(data[4:])
        assert owner == fakes.PRODUCT + "/" + fakes.NAME, owner
        if self.mode == "KEY":
            copies = values["deviceSecret"], parts[0]
        else:
            paths = values["devCertFile"], values["devPrivateKeyFile"]
            copies = tuple(fakes.read(path).decode() for path in paths), tuple(parts)
        return copies == (self.value, self.value) and self.states() == ("good", "good")

    def all(self):
        """Every byte that is kept, to see that nothing has changed."""
        return fakes.files(self.folder), dict(self.nvs.blobs) if self.nvs else None

    def values(self):
        return json.loads(fakes.read(self.path))

    def edit(self, **changes):
        """Changes keys of the credential's section, as a person does; None takes one out."""
        values = self.values()
        section = values.setdefault(self.section, {})
        section.update(changes)
        values[self.section] = {key: section[key] for key in section if section[key] is not None}
        fakes.write(self.path, json.dumps(values))

    def set(self, **changes):
        """Changes keys of the whole file."""
        fakes.write(self.path, json.dumps(dict(self.values(), **changes)))

    def data(self):
        """The second copy's bytes, CRC and all."""
        return self.nvs.blobs[BLOB] if self.nvs else fakes.read(self.record)

    def set_data(self, data):
        """Other bytes for the second copy; None takes it away."""
        if self.nvs:
            self.nvs.blobs.pop(BLOB, None)
            if data is not None:
                self.nvs.blobs[BLOB] = data
        elif data is None:
            os.remove(self.record)
        else:
            fakes.write(self.record, data)

    def lose_file(self):
        """A fresh device_info.json is copied over the board's."""
        fakes.write(self.path, json.dumps(fakes.values(**self.changes)))

    def damage_file(self):
        """A bit of the first copy turns."""
        if self.mode == "KEY":
            secret = self.values()[self.section]["deviceSecret"]
            self.edit(deviceSecret="Z" + secret[1:])
        else:
            path = self.values()[self.section]["devPrivateKeyFile"]
            fakes.write(path, fakes.read(path).replace(b"BEGIN", b"BEGIM"))

    def damage_record(self):
        """A bit of the second copy turns."""
        data = bytearray(self.data())
        data[len(data) // 2] ^= 1
        self.set_data(bytes(data))


def everywhere(**changes):
    """A Kept for each mode and place, one after the other."""
    for mode in ("KEY", "CERT"):
        for place in ("NVS", "file"):
            print("---", mode, place)
            yield Kept(mode, place, **changes)
            fakes.restore()
