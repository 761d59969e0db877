"""The error that every command reports in one line."""


class ToolError(Exception):
    """What was asked for cannot be done; the message is one sentence for a person."""
