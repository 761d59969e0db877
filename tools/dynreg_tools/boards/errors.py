"""The one error of this package."""

from typing import Any

from ..errors import ToolError
from ..printable import clean


class BoardError(ToolError):
    """A board, or what it is to get, is not as it must be.

    code: stable text for reports and programs, such as "board.lost". The message is one
    sentence that names the place and the remedy; what a board said may be in it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(clean(message))
        self.code = code
        self.known: dict[str, Any] = {}  # what was known of the board by then
