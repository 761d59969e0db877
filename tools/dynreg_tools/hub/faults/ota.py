"""Faults of updates over the air: what a device is told, and what it then fetches.

An `act` of the hook "update" gets (the message, the argument) and gives the message; one of
"download" gets (the file, the Range header's value, the argument) and gives the answer.
"""

from dataclasses import replace
from functools import partial
from http import HTTPStatus

from ..http.downloads import Answer, answer
from .kinds import Argument, Kind, natural, seconds

_told = partial(Kind, hook="update")
_sent = partial(Kind, hook="download")


def _status(text: str) -> int:
    return int(HTTPStatus(natural(text)))


KINDS = (
    _told(
        "ota-md5",
        "another MD5 is told than the file's",
        act=lambda message, _: {**message, "md5sum": message["md5sum"][::-1]},
    ),
    _told(
        "ota-size",
        "so many bytes more are told than the file has",
        act=lambda message, more: {**message, "file_size": message["file_size"] + more},
        argument=Argument("bytes", 1000, natural),
    ),
    _told(
        "ota-version",
        "another version is told than the bundle's",
        act=lambda message, _: {**message, "version": message["version"] + "x"},
    ),
    _told(
        "ota-url",
        "an update is told to be on another host, over plain HTTP",
        act=lambda message, _: {**message, "url": "http://another-host.test/update"},
    ),
    _sent(
        "ota-truncated",
        "half of the file is there, and said to be all",
        act=lambda data, wanted, _: answer(data[: len(data) // 2], wanted),
    ),
    _sent(
        "ota-corrupt",
        "the file's last byte is another",
        act=lambda data, wanted, _: answer(data[:-1] + bytes([data[-1] ^ 1]), wanted),
    ),
    _sent(
        "ota-no-range",
        "the whole file, whatever part was asked for",
        act=lambda data, _wanted, _: answer(data, None),
    ),
    _sent(
        "ota-cut",
        "the connection ends after so many bytes of a part",
        act=lambda data, wanted, size: replace(answer(data, wanted), sent=size),
        argument=Argument("bytes of the part that are sent", 500, natural),
    ),
    _sent(
        "ota-slow",
        "each part comes late",
        act=lambda data, wanted, wait: replace(answer(data, wanted), wait=wait),
        argument=Argument("seconds", 60.0, seconds),
    ),
    _sent(
        "ota-status",
        "a status in the place of the file",
        act=lambda _data, _wanted, status: Answer(status),
        argument=Argument("HTTP status", 404, _status),
    ),
    _sent(
        "ota-redirect",
        "sent to another host",
        act=lambda *_: Answer(
            HTTPStatus.FOUND, b"", [("Location", "https://another-host.test/update")]
        ),
    ),
)
