"""Files that devices fetch by GET, whole or by ranges (RFC 9110, 14)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from .connection import Change

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: of its body only `sent` bytes go out where that is given, `wait` seconds late."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)
    sent: int | None = None
    wait: float = 0

    @property
    def change(self) -> Change | None:
        """What makes of the whole reply what goes out."""
        if self.sent is None and not self.wait:
            return None

        def cut(raw: bytes) -> list[tuple[float, bytes]]:
            head, _, body = raw.partition(_END)
            return [(self.wait, head + _END + body[: self.sent])]

        return cut


class DownloadFaults(Protocol):
    """What may go wrong on purpose in a download."""

    def download(self, data: bytes, wanted: str | None) -> Answer | None:
        """The answer in the place of the right one; None where that is sent."""
        ...


def answer(data: bytes, wanted: str | None) -> Answer:
    """A file, or the range of it that a Range header's value asks for."""
    found = _RANGE.fullmatch(wanted) if wanted else None
    if not found:
        return Answer(HTTPStatus.OK, data)
    first = int(found[1])
    last = min(int(found[2] or len(data)), len(data) - 1)
    if first > last:
        missing = [("Content-Range", f"bytes */{len(data)}")]
        return Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", missing)
    part = [("Content-Range", f"bytes {first}-{last}/{len(data)}")]
    return Answer(HTTPStatus.PARTIAL_CONTENT, data[first : last + 1], part)


class Downloads:
    """`file` gives the bytes of a path, None where there is none."""

    def __init__(self, file: Callable[[str], bytes | None], faults: DownloadFaults) -> None:
        self._file = file
        self._faults = faults

    def get(self, target: str, wanted: str | None) -> Answer | None:
        """The answer to a GET; None for a path that has no file."""
        data = self._file(target)
        if data is None:
            return None
        return self._faults.download(data, wanted) or answer(data, wanted)
