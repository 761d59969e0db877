"""What is typed on a board's port: kept until a program takes it, Ctrl-C apart from the rest."""

import re

from .actions import Action, Interrupt, Pending, Type


class Keys:
    """The bytes that came and were not passed on yet."""

    def __init__(self) -> None:
        self._pending: Pending | None = None
        self._typed = bytearray()

    def add(self, data: bytes) -> None:
        self._typed += data

    def clear(self) -> None:
        self._typed.clear()

    def interrupt_by(self, place: bytes) -> None:
        """What a MicroPython that has started says of it; b"" nothing."""
        numbers = [int(number) for number in place.split()]
        self._pending = (numbers[0], numbers[1], numbers[2]) if numbers else None

    def take(self) -> list[Action]:
        """All of them, for a program or a prompt."""
        actions: list[Action] = []
        for data in re.findall(rb"\x03|[^\x03]+", self._typed):
            interrupt = data == b"\x03"
            actions.append(Interrupt(self._pending) if interrupt else Type(bytes(data)))
        self.clear()
        return actions
