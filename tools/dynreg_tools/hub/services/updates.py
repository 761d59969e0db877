"""Updates over the air: which version devices run, what they are to take, how far they are.

Source: protocol section 7 (OTA). A device that reports its version is offered again what it has
not taken yet, as the cloud does it.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

from ..events import Journal
from ..rules import HubError
from ..store import Device, Store
from .service import Publish, Request, own
from .text import dump, parsed

PATH = "/updates/"
MOST_VERSION = 32
MOST_FILE = 16 * 1024 * 1024  # bytes
ENDED = ("done", "fail", "cancelled")
_STATES = ("downloading", "burning", "done", "fail")
_WORDS = 256  # characters of a device's own that are kept
_SCHEMA = """
CREATE TABLE IF NOT EXISTS update_files (
    md5 TEXT PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS updates (
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    reported TEXT,
    version TEXT,
    md5 TEXT,
    scheme TEXT,
    state TEXT,
    percent INTEGER,
    code INTEGER,
    message TEXT,
    PRIMARY KEY (product_id, name),
    FOREIGN KEY (product_id, name) REFERENCES devices (product_id, name) ON DELETE CASCADE
);
"""
_SHOWN = ("name", "reported", "version", "state", "percent", "code", "message")


class UpdateFaults(Protocol):
    """What may go wrong on purpose in what a device is told of an update."""

    def update(self, message: dict) -> dict:
        """The message in the place of the right one."""
        ...


class Updates:
    """`url` gives the gateway's URL for a scheme, "http" or "https"."""

    kinds = ("$ota/report",)

    def __init__(
        self,
        store: Store,
        journal: Journal,
        publish: Publish,
        faults: UpdateFaults,
        url: Callable[[str], str],
    ) -> None:
        self._execute = store.tables(_SCHEMA)
        self._emit = journal.emit
        self._publish = publish
        self._faults = faults
        self._url = url

    def put(self, data: bytes) -> str:
        """Keep a file, which devices are then offered by its MD5 in hex; HubError."""
        if not 0 < len(data) <= MOST_FILE:
            raise HubError(f"a file of {len(data)} bytes is none: it has 1 to {MOST_FILE}")
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self._execute("INSERT OR IGNORE INTO update_files VALUES (?, ?)", (md5, data))
        return md5

    def file(self, path: str) -> bytes | None:
        """The file of a path on the gateway; None where there is none."""
        md5 = path.partition("?")[0].removeprefix(PATH)
        row = self._execute("SELECT data FROM update_files WHERE md5 = ?", (md5,)).fetchone()
        return row and row[0]

    def offer(self, device: Device, version: str, md5: str, scheme: str = "https") -> int:
        """Have a device take a file; how many hear of it now, 0 or 1. HubError."""
        if not 0 < len(version) <= MOST_VERSION:
            raise HubError(f"a version has 1 to {MOST_VERSION} characters")
        if self.file(md5) is None:
            raise HubError(f"there is no file with the MD5 {md5[:32]!r}: upload it first")
        if scheme not in ("http", "https"):
            raise HubError("the scheme of an update is http or https")
        values = {"version": version, "md5": md5, "scheme": scheme, "state": "offered"}
        self._change(device, **values, percent=None, code=None, message=None)
        self._emit("offered", client_id=device.product_id + device.name, version=version)
        return self._push(device)

    def cancel(self, device: Device) -> bool:
        """Offer it no more; False where nothing was on offer."""
        row = self._row(device)
        if row is None or row["version"] is None or row["state"] in ENDED:
            return False
        self._change(device, state="cancelled")
        self._emit("cancelled", client_id=device.product_id + device.name, version=row["version"])
        return True

    def rows(self, product_id: str) -> list[dict[str, Any]]:
        """How each device stands that has said or was told something."""
        rows = self._execute(
            f"SELECT {', '.join(_SHOWN)} FROM updates WHERE product_id = ? ORDER BY name",
            (product_id,),
        )
        return [dict(zip(_SHOWN, row, strict=True)) for row in rows]

    def asked(self, request: Request) -> None:
        """A version, or how far an update is; what is neither gets no answer."""
        message = parsed(request.payload)
        if message is None:
            return
        try:
            kind, report = message["type"], message["report"]
            version = str(report["version"])[:MOST_VERSION]
            if kind == "report_version":
                self._version(request, version)
            elif kind == "report_progress":
                progress = report["progress"]
                state = str(progress["state"])
                percent, code = self._percent(request, progress), int(progress["result_code"])
                message = str(progress.get("result_msg", ""))[:_WORDS]
                if state in _STATES and -128 <= code < 128 and 0 <= percent <= 100:
                    self._progress(request, version, state, percent, code, message)
        except (ValueError, KeyError, TypeError, AttributeError):
            return

    def _percent(self, request: Request, progress: dict[str, Any]) -> int:
        """How much has come. It is told while it comes alone: the rest is known."""
        if "percent" in progress:
            return int(progress["percent"])
        if progress["state"] in ("burning", "done"):
            return 100
        row = self._row(request.device)
        return int(row["percent"] or 0) if row else 0

    def _version(self, request: Request, version: str) -> None:
        self._change(request.device, reported=version)
        request.report("version", version=version)
        answer = {
            "type": "report_version_rsp",
            "result_code": 0,
            "result_msg": "success",
            "version": version,
        }
        request.answer(f"$ota/update/{request.own}", dump(answer))
        row = self._row(request.device)
        if row and row["version"] not in (None, version) and row["state"] not in ENDED:
            self._push(request.device)

    def _progress(
        self, request: Request, version: str, state: str, percent: int, code: int, message: str
    ) -> None:
        request.report(
            "update", version=version, state=state, percent=percent, code=code, message=message
        )
        row = self._row(request.device)
        if row and row["version"] == version and row["state"] not in ENDED:
            self._change(request.device, state=state, percent=percent, code=code, message=message)

    def _push(self, device: Device) -> int:
        row = self._row(device)
        if row is None:
            return 0
        message = {
            "type": "update_firmware",
            "version": row["version"],
            "url": self._url(row["scheme"]) + PATH + row["md5"],
            "md5sum": row["md5"],
            "file_size": len(self.file(row["md5"]) or b""),
            "user_defined": "{}",  # C-EXP takes no update without one, and none that is empty
        }
        told = dump(self._faults.update(message))
        return self._publish(f"$ota/update/{own(device)}", told, 1)

    def _row(self, device: Device) -> dict[str, Any] | None:
        columns = (*_SHOWN, "md5", "scheme")
        row = self._execute(
            f"SELECT {', '.join(columns)} FROM updates WHERE product_id = ? AND name = ?",
            (device.product_id, device.name),
        ).fetchone()
        return row and dict(zip(columns, row, strict=True))

    def _change(self, device: Device, **values: object) -> None:
        one = (device.product_id, device.name)
        self._execute("INSERT OR IGNORE INTO updates (product_id, name) VALUES (?, ?)", one)
        changes = ", ".join(f"{column} = ?" for column in values)
        self._execute(
            f"UPDATE updates SET {changes} WHERE product_id = ? AND name = ?",
            (*values.values(), *one),
        )
