"""What building and fetching raise."""

from ..errors import ToolError


class InterpreterError(ToolError):
    """An interpreter cannot be had or used; the message is one sentence."""
