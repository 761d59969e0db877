"""Where the choices of a case come from: the same on CPython and on MicroPython for one seed.

Hypothesis has a source of its own (properties.py), so that the generators are written once.
"""

_MASK = 0xFFFFFFFF


class Seeded:
    """Choices that seed and case (numbers from 0) decide; xorshift32."""

    def __init__(self, seed, case):
        self._state = ((seed * 0x9E3779B1) ^ (case * 0x85EBCA6B) ^ 0x2545F491) & _MASK or 1
        for _ in range(8):
            self.below(1)

    def below(self, count):
        """A number from 0 to count - 1."""
        state = self._state
        state ^= (state << 13) & _MASK
        state ^= state >> 17
        state ^= (state << 5) & _MASK
        self._state = state
        return (state * count) >> 32

    def bytes(self, count):
        """count bytes."""
        return bytes(self.below(256) for _ in range(count))

    def chance(self, count):
        """True once in count times."""
        return self.below(count) == 0

    def one_of(self, things):
        """One of a sequence."""
        return things[self.below(len(things))]
