"""The one error of this package."""


class BoardError(Exception):
    """The virtual board cannot be made, read or run; the message is one sentence for people."""
