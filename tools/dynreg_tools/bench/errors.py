"""What can stop a measurement."""

from ..errors import ToolError


class BenchError(ToolError):
    """A measurement failed; the message is one sentence."""


class NoLink(BenchError):
    """This machine does not give us a link of our own; the message says what is missing."""
