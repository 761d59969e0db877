"""The one error of this package."""

from typing import Any

from ..errors import ToolError


class BoardError(ToolError):
    """A board, or what it is to get, is not as it must be.

    code: stable text for reports and programs, such as "board.lost". The message is one
    sentence that names the place and the remedy.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.known: dict[str, Any] = {}  # what was known of the board by then
