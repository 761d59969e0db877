"""What must not happen to a board that is registered."""

from __future__ import annotations

from ..errors import BoardError
from .batchimage import BatchImage
from .contents import NVS, Contents, format_mac

REFUSALS = ("flash.registered", "config.other", "board.program")
NEW_FILES = "this image, which replaces its files,"
_FROM_FILES = "let its program run once, which makes a second copy in NVS that images keep; or "


def check_loss(port: str, on_board: Contents, what: str, named: frozenset[str]) -> None:
    """Refuses what would lose a credential, unless this board was named.

    what: the reason, in words. BoardError "flash.registered".
    """
    if not on_board.may_hold_credential or on_board.names & named:
        return
    name = on_board.owner.split("/")[-1] if on_board.owner else format_mac(on_board.mac)
    way = _FROM_FILES if what == NEW_FILES else ""
    if on_board.where is not None:
        way += "'--save-identity FOLDER' keeps a copy first, "
    raise BoardError(
        "flash.registered",
        f"{port}: {on_board.sentence}, and the cloud gives no second one; {what} would "
        f"lose it: {way}'--erase-registered {name}' of dynreg flash says that you mean it",
    )


def check_owner(port: str, on_board: Contents, image: BatchImage) -> None:
    """A board that NVS knows as somebody else would refuse the image's device_info.json.

    BoardError "config.other".
    """
    if NVS not in (on_board.where or ()) or on_board.owner == image.owner(on_board.mac):
        return
    raise BoardError(
        "config.other",
        f"{port}: the board is registered as {on_board.owner}, the image is for "
        f"{image.owner(on_board.mac)}: take that product's image, or Device.forget() on the board "
        "first; nothing was written",
    )
