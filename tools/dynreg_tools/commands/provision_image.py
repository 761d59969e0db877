"""The way of `dynreg provision` with --image: burn, reset, watch, without the board's prompt."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ..boards import fleet, mistakes
from ..boards.batch import Batch
from ..boards.errors import BoardError
from ..boards.logs import Logs
from ..boards.redaction import Redaction
from ..boards.report import OF_GOOD, Report

Seen = dict[str, Any]


def what(
    options: argparse.Namespace,
    report: Report,
    result: Callable[[Seen, str, str, str], fleet.Row],
) -> tuple[Batch, fleet.Work]:
    """Of which batch the boards are, and what is done to each.

    result: a board's row from its report, its MAC, its device name and the product. esptool is
    imported here: it takes half a second. BoardError.
    """
    from ..boards.flashing import batchimage
    from ..boards.flashing.burn import burn
    from ..boards.flashing.job import Order

    if options.app or options.source:
        raise BoardError(
            "argument", "--image has library and program in it: give these to 'dynreg image'"
        )
    if options.after == "no-reset":
        raise BoardError("argument", "a board must start to register: leave --after out")
    image = batchimage.read(options.image)
    order = Order(
        firmware=image.firmware,
        image=image,
        force=options.force,
        dry_run=options.dry_run,
        before=options.before,
        after=options.after,
        stub=not options.no_stub,
        baud=options.baud,
    )

    product = image.batch.info.product_id
    bench = mistakes.Bench(report.names(product))
    logs = Logs(report.path, Redaction(image.batch))

    def one(port: str, stop: threading.Event, step: fleet.Step) -> fleet.Row:
        with ExitStack() as place:

            def done(mac: str) -> bool:
                place.enter_context(bench.place(port, mac, image.batch.name_of(mac)))
                return not options.again and report.good(mac) is not None

            row, seen = burn(port, order, options.timeout, logs, done, stop, step)
        if seen is not None:
            return row | result(seen, row["mac"], image.batch.name_of(row["mac"]), product)
        if row.get("outcome"):  # a dry run
            return row | {"message": f"{len(image.firmware.data)} bytes would be written"}
        before = report.good(row["mac"]) or {}
        known = {name: before[name] for name in OF_GOOD if before.get(name)}
        return row | known | {"outcome": "skipped", "message": f"good in {report.path}"}

    return image.batch, one
