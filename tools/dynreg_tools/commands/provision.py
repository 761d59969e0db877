"""`dynreg provision`: a box of boards, from MicroPython to registered and logged in."""

from __future__ import annotations

import argparse
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..boards import apply, booting, facts, fleet, mistakes, openreport
from ..boards.batch import Batch
from ..boards.content import Content, Options
from ..boards.errors import BoardError
from ..boards.link import Link, over_resets
from ..boards.logs import Logs
from ..boards.redaction import Redaction
from ..boards.report import COLUMNS, GOOD, OF_GOOD, Report
from ..console import Console
from . import deploy, flash, provision_image, provision_loop, shared

DESCRIPTION = """\
For each board: deploy, reset, watch it register and log in, take down the result that it prints.
With --image the file that 'dynreg image' has made is burnt instead, MicroPython and all, without
the board's prompt. A board that fails holds up no other. With --report the result of every board
is in FILE.csv (and every attempt in FILE.jsonl), what each board printed in FILE.logs/MAC.log;
boards that are good there are left out the next time."""
EXAMPLE = """\
examples:
  dynreg provision --all --report batch.csv
  dynreg provision --all --jobs 8 --report batch.csv --app my_program/
  dynreg provision --loop --report batch.csv   boards as they are plugged in
  dynreg provision --all --image batch.bin --report batch.csv     one file of 'dynreg image'
  dynreg provision --all --dry-run             which boards, and what would be copied

Exit code: 0 only when all boards are good."""
TABLE = ("port", "mac", "device", "outcome", "error", "seconds", "fingerprint")
SOMETIMES = ("error", "fingerprint")  # columns that are shown where a board has them
FIRST_PARTS = 0.6  # of a board's bar: the deploy


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser)
    deploy.add_what(parser)
    shared.add_jobs(parser)
    parser.add_argument("--report", type=Path, metavar="FILE.csv", help="results, and resume")
    parser.add_argument("--again", action="store_true", help="also boards that are good there")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60,
        metavar="S",
        help="seconds for Wi-Fi, registration and login of one board (default 60)",
    )
    provision_loop.add_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, no more")
    parser.add_argument("--json", action="store_true", help="one JSON object a board")
    parser.add_argument(
        "--image", type=Path, metavar="FILE.bin", help="burn this one of 'dynreg image' instead"
    )
    flash.add_loader(parser)


def run(options: argparse.Namespace) -> int:
    """0 when every board is good (now or before), else 1."""
    if options.loop and options.dry_run:
        options.parser.error("--loop changes boards: not with --dry-run")
    with openreport.opened(options.report, reading=options.dry_run) as report:
        return with_report(options, report)


def with_report(options: argparse.Namespace, report: Report) -> int:
    console = Console(options.json)
    batch, work = what(options, report)
    redact = Redaction(batch)

    def record(row: fleet.Row) -> None:
        row.update(facts.of_batch(batch) | row)
        row["message"] = row.get("message") and redact(row["message"])
        whole = row if row["outcome"] in ("skipped", "dry run") else report.add(row)
        if row["outcome"] == "skipped" and not options.dry_run:
            report.met(row["port"])
        console.result({name: whole.get(name) for name in COLUMNS})

    if options.loop:
        mistakes.check(batch, None)
        return provision_loop.run(options, console, work, record, sentence)
    ports = shared.ports(options)
    mistakes.check(batch, len(ports))
    rows: list[fleet.Row] = []

    def each(row: fleet.Row) -> None:
        rows.append(row)
        record(row)
        if not console.terminal:
            console.say(sentence(row, f"[{len(rows)}/{len(ports)}]"))

    try:
        fleet.run(ports, work, options.jobs, console.progress(ports, "boards"), each)
    finally:  # also after Ctrl-C
        rows.sort(key=lambda row: ports.index(row["port"]))
        if console.terminal:
            shown = [n for n in TABLE if n not in SOMETIMES or any(row.get(n) for row in rows)]
            console.table(rows, shown, spare=("seconds", "fingerprint"))
            console.errors(rows, "port", "error")
        console.actions(rows)
        good = sum(row["outcome"] in (GOOD, "skipped", "dry run") for row in rows)
        where = f", see {report.path}" if report.path else ""
        console.say(f"{good} of {len(ports)} good{where}")
    return 0 if good == len(ports) else 1


def what(options: argparse.Namespace, report: Report) -> tuple[Batch, fleet.Work]:
    """Of which batch the boards are, and what is done to each. BoardError."""
    if options.image:
        return provision_image.what(options, report, result)
    asked = deploy.asked_for(options)
    content = deploy.read(options, asked)
    bench = mistakes.Bench(report.names(content.batch.info.product_id))
    logs = Logs(report.path, Redaction(content.batch))
    order = Order(content, asked, report, bench, logs, options.again, options.timeout)
    return content.batch, lambda port, stop, step: provision(port, order, stop, step)


@dataclass(frozen=True)
class Order:
    """What is to be done to each board; timeout: seconds until its report must have come."""

    content: Content
    options: Options
    report: Report
    bench: mistakes.Bench
    logs: Logs
    again: bool
    timeout: float


def provision(port: str, order: Order, stop: threading.Event, step: fleet.Step) -> fleet.Row:
    """One board, from its prompt to its report; its row."""
    row: fleet.Row = {}

    def work(link: Link) -> fleet.Row:
        with ExitStack() as place:
            step("asking who it is", 0.02)
            found = apply.take_inventory(link, order.content)
            row.update(facts.of_board(found.board, order.content.batch))
            name = order.content.batch.name_of(row["mac"])
            place.enter_context(order.bench.place(port, row["mac"], name))
            done = None if order.again else order.report.good(row["mac"])
            if done:
                text = f"good in {order.report.path or 'this run'}"
                known = {name: done[name] for name in OF_GOOD if done.get(name)}
                return row | known | {"outcome": "skipped", "message": text}
            copied = deploy.to_board(
                link,
                order.content,
                found,
                order.options,
                lambda text, part: step(text, part * FIRST_PARTS),
            )
            if order.options.dry_run:
                text = f"{len(copied['written'])} files would be written"
                return row | {"outcome": "dry run", "message": text}
            row["library"] = facts.library(found.board)
            step("starting", 0.65)
            link.reset()
            with order.logs.of(row["mac"], port) as log:
                seen = booting.watch(link.lines(), order.timeout, stop, step, log.line)
        told = {"message": "; ".join(link.notes)} if link.notes else {}
        got = result(seen, row["mac"], name, order.content.batch.info.product_id)
        return row | told | got

    try:
        return over_resets(port, stop, work)
    except BoardError as error:
        raise Failed(booting.explained(error, port, stop), row) from None


class Failed(BoardError):
    """A board's failure, with what was known of it by then."""

    def __init__(self, error: BoardError, known: fleet.Row) -> None:
        super().__init__(error.code, str(error))
        self.known = known


def result(seen: dict, mac: str, name: str, product_id: str) -> fleet.Row:
    """The row's fields from the report at the port of the board with this MAC and device name."""
    good = seen.get("error") is None and bool(seen.get("connected")) and bool(seen.get("stored"))
    row = {
        "outcome": GOOD if good else "failed",
        "device": name,
        "fingerprint": seen["fingerprint"],
        "tls": seen.get("tls"),
    }
    if fault := mistakes.foreign(seen, good, mac, name, product_id):
        return row | {"outcome": "failed", "error": "board.other", "message": fault}
    if not good:
        row["error"] = seen.get("error") or "not_connected"
        row["message"] = seen["last_error"] or "the board names no reason"
    return row


def sentence(row: fleet.Row, head: str) -> str:
    """A board's row as one line of a pipe."""
    words = [head, row["port"], row.get("mac") or "-", row["outcome"]]
    if row["outcome"] == GOOD:
        words += [row["device"], f"fingerprint {row['fingerprint']}"]
    if row.get("error"):
        words.append(f"{row['error']}: {row['message']}")
    elif row.get("message"):
        words.append(row["message"])
    return "  ".join([*words, f"{row['seconds']} s"])
