"""A board's credential: read from it, and brought back onto it; identityfile.py keeps it.

The cloud gives a credential once (docs/credentials.md), so this is the way back for a board whose
flash must be erased.
"""

from __future__ import annotations

from contextlib import suppress

from ..printable import loads
from . import faults, onboard
from .batch import placeholder
from .errors import BoardError
from .flashing import contents
from .identityfile import Identity
from .link import Link

_INFO, _RECORD = "/device_info.json", "/dynreg.rec"
_PIECE = 256  # bytes of a record in one go


def fetch(link: Link) -> Identity:
    """The board's identity, read twice so that no noise on the line is kept. BoardError."""
    on_board = contents.from_repl(link)
    if not on_board.where:
        raise BoardError("identity.none", f"{link.port}: {on_board.sentence}: nothing to save")
    paths = [
        path for path in (_INFO, _RECORD, *on_board.files) if onboard.call(link, "exists", path)
    ]
    first, second = ((_nvs(link), _files(link, paths)) for _ in range(2))
    if first != second:
        raise BoardError("identity.noise", f"{link.port}: read twice, differs: check the cable")
    nvs, files = first
    if nvs is None and len(files) < len(paths):
        raise faults.damaged(link.port)
    return Identity(on_board.mac, on_board.owner, files, nvs)


def restore(link: Link, identity: Identity, dry_run: bool = False) -> None:
    """Brings the identity back, the record first, each part read back.

    Only onto its own board (the device's name is made of the MAC), and never over another
    credential. BoardError.
    """
    on_board = contents.from_repl(link)
    if on_board.mac != identity.mac:
        raise BoardError(
            "identity.other",
            f"{link.port}: this board is {contents.format_mac(on_board.mac)}, the identity is of "
            f"{contents.format_mac(identity.mac)}: connect that one",
        )
    if on_board.where and _credential(fetch(link)) != _credential(identity):
        raise BoardError(
            "identity.two",
            f"{link.port}: the board holds another credential than the file: if the file's is the "
            "right one, call Device.forget() on the board first",
        )
    if dry_run:
        return
    if identity.nvs is not None and _nvs(link) != identity.nvs:
        for at in range(0, len(identity.nvs), _PIECE):
            piece = identity.nvs[at : at + _PIECE].hex()
            last = at + _PIECE >= len(identity.nvs)
            onboard.run(link, "put_record", piece, at == 0, last)
        if _nvs(link) != identity.nvs:
            raise BoardError("identity.write", f"{link.port}: NVS does not read back: try again")
    # device_info.json names the others, so it comes last
    for path in sorted(identity.files, key=lambda path: path == _INFO):
        folder = path.rpartition("/")[0]
        if folder:
            onboard.run(link, "make_folder", folder)
        link.write(path, identity.files[path])
        if link.read(path) != identity.files[path]:
            raise BoardError(
                "identity.write", f"{link.port}: {path} does not read back: try again"
            )


def _credential(identity: Identity) -> list:
    """The device secret, or certificate and key: from the record, else from the files."""
    with suppress(ValueError, TypeError, KeyError):  # no record, or a damaged one
        return loads((identity.nvs or b"")[4:].decode())[2:]
    secret = None
    with suppress(ValueError, TypeError, KeyError):
        secret = loads(identity.files[_INFO].decode())["key_deviceinfo"]["deviceSecret"]
    others = [data for path, data in sorted(identity.files.items()) if path != _INFO]
    return others if placeholder(secret) else [secret]


def _files(link: Link, paths: list[str]) -> dict[str, bytes]:
    """Without those that a damaged file system does not give: the record in NVS has it all."""
    found: dict[str, bytes] = {}
    for path in paths:
        try:
            found[path] = link.read(path)
        except BoardError as error:
            if error.code != "board.filesystem":
                raise
    return found


def _nvs(link: Link) -> bytes | None:
    try:
        return bytes.fromhex(onboard.run(link, "print_record")) or None
    except ValueError:
        raise BoardError("board.answer", f"{link.port}: its record in NVS is no hex") from None
    except BoardError as error:
        if error.code == "board.exception":  # a port without NVS
            return None
        raise
