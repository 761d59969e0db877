"""One board of the model, and what its people may count on."""

import json
from binascii import crc32, hexlify
from hashlib import sha256

import board as boards
import cloud as clouds
import fakes


class Violated(AssertionError):
    """An invariant does not hold; the message says which, without a secret."""


def must(good, what):
    """Violated(what) unless good."""
    if not good:
        raise Violated(what)


class Owned:
    """A Board, and what its people may count on.

    kept: (owner, secret) with which it has been logged in, until people have taken it out of all
    places where the library must have put it: "file", "NVS". edited: whether a person has changed
    the credential's part of the file as it stands. typed: another board's secrets that a person
    has put here as this one's.
    """

    def __init__(self, world, number, has_nvs):
        mac = b"\x24\x6f\x28\x00\x00" + bytes((number,))
        self.board = boards.Board(world, mac, has_nvs)
        self.number = number
        self.kept, self.places, self.edited = None, set(), False
        self.typed = set()
        self.write(fresh())

    def write(self, text, edited=False):
        """A person copies a file over the board's."""
        self.board.files[boards.PATH] = text.encode()
        self.edited = edited
        self.broken = self.values() is None
        self.takes_away("file")

    def takes_away(self, place):
        self.places.discard(place)
        if not self.places:
            self.kept = None

    def text(self):
        """The file's; on FAT a power cut may have left it under its temporary name only."""
        files = self.board.files
        return files.get(boards.PATH, files.get(boards.PATH + ".tmp")).decode()

    def values(self):
        """What the file says; None where it is no JSON."""
        try:
            return json.loads(self.text())
        except ValueError:
            return None

    def name(self):
        """The device name in the file; that of a fresh one where there is none."""
        name = (self.values() or json.loads(fresh()))["deviceName"]
        return name.replace("{mac}", hexlify(self.board.mac).decode())

    def owner(self):
        return f"{clouds.PRODUCT}/{self.name()}"

    def in_file(self):
        """(secret, state) in the file: "good", "typed", "damaged" or None (credentials.md)."""
        section = self.values().get("key_deviceinfo") or {}
        secret, check = section.get("deviceSecret"), section.get("check")
        if not secret or secret.startswith("YOUR_"):
            return None, None
        if not check:
            return secret, "typed"
        right = sha256(f"{self.owner()}\n{secret}".encode()).hexdigest()[:8]
        return secret, "good" if check == right else "damaged"

    def noted(self):
        """Whether the board itself knows that it has logged in: the day that the cloud told."""
        kept = self.board.nvs.get(boards.NOTES) if self.board.has_nvs else None
        kept = kept or self.board.files.get(boards.NOTES_FILE)
        return bool(kept and any(kept[:2]))

    def in_nvs(self):
        """(owner, secret) of the record, in NVS or in its file, or None."""
        data = self.board.nvs.get(boards.RECORD)
        if not self.board.has_nvs:
            data = self.board.files.get(boards.RECORD_FILE)
            if data is None:  # on FAT it may be under its temporary name, and not whole
                data = self.board.files.get(boards.RECORD_FILE + ".tmp", b"")
                data = data if crc32(data[4:]) == int.from_bytes(data[:4], "big") else None
                data = data or None
        if data is None:
            return None
        must(crc32(data[4:]) == int.from_bytes(data[:4], "big"), "the record is damaged")
        owner, _, secret = json.loads(data[4:])
        return owner, secret


def fresh(**changes):
    """The batch's file."""
    values = {"wifi": None, "deviceName": "dev-{mac}", "early": None, **changes}
    return json.dumps(fakes.values(**values), indent=2)
