"""The one error of this package."""

from ..errors import ToolError


class BoardError(ToolError):
    """The virtual board cannot be made, read or run; the message is one sentence for people."""
