"""The figures as aligned tables: for the terminal, and in docs/performance.md."""

import math
from collections.abc import Iterable
from pathlib import Path

from . import memory
from .errors import BenchError
from .wire import BOOTS, Setting

BEGIN, END = "<!-- ./dev bench --update-docs writes from here -->", "<!-- to here -->"


def text(results: dict) -> str:
    """Every table, in Markdown that reads well as it is."""
    parts = []
    for found in results["settings"]:
        setting = Setting(found["rtt_ms"], found["loss"])
        parts += [f"{setting}; medians of {found['runs']}:", _link_table(results, found)]
    if "missing" in results["link"]:
        parts.append(f"Not measured on a link: {results['link']['missing']}.")
    else:
        parts.append(
            "The forwarder delivered a packet {late_ms_median} ms late (median), {late_ms_worst} "
            "ms at worst.".format(**results["link"])
        )
    if results["memory"]:
        parts.append(
            f"Memory, by MicroPython ({_names(results['memory'])}); heap in KiB, what is kept at "
            "the end in bytes:"
        )
        parts.append(_memory_table(results))
        if grown := _growth_table(results):
            parts += ["Held after the hundredth reconnect and not after the first:", grown]
    if results["no_32_bit"]:
        parts.append(f"Not measured at 32 bits: {results['no_32_bit']}.")
    parts += ["Reads of the flash, in calls of readblocks:", _reads_table(results)]
    parts += ["Flash, bytes of .mpy:", _flash_table(results)]
    return "\n\n".join(parts)


def update(file: Path, results: dict) -> None:
    """Puts the tables between the markers of a page. BenchError where it has none."""
    page = file.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{file} lacks the lines '{BEGIN}' and '{END}'")
    file.write_text(f"{before}{begin}\n\n{text(results)}\n\n{end}{after}", "utf-8")


def _link_table(results: dict, found: dict) -> str:
    rows = [["client", "TLS", "boot", "round trips", "least–most", "bytes", "packets", "HTTPS"]]
    lossy = found["loss"] > 0
    for name, boots in found["clients"].items():
        for kind in BOOTS:
            seen = boots[kind]
            if seen["rtt"] is None:
                cells = ["–"] * 6
            else:
                spread = "{:.2f}–{:.2f}".format(*seen["rtt_least_most"])
                counts = (seen["bytes"], seen["packets"], seen["requests"])
                cells = [seen["tls"], f"{seen['rtt']:.2f}", spread, *map(str, counts)]
            title = results["clients"][name]["title"]
            words = kind.replace("_boot", "")
            row = [title, cells[0], words, *cells[1:]]
            rows.append([*row, "{} of {}".format(*seen["completed"])] if lossy else row)
    if lossy:
        rows[0].append("completed")
    return table(rows)


def _memory_table(results: dict) -> str:
    """A row for each boot, three columns for each interpreter."""
    every = results["memory"]
    rows = [["client", "boot"]]
    for label in labels(every):
        rows[0] += [f"{label}: TLS", "heap", "kept"]
    for name, client in results["clients"].items():
        for kind in memory.KINDS:
            boots = [found["clients"].get(name, {}).get(kind) for found in every]
            if any(boots):
                cells = [cell for boot in boots for cell in _memory_cells(boot)]
                rows.append([client["title"], _MEMORY_WORDS[kind], *cells])
    return table(rows)


_MEMORY_WORDS = {"first_boot": "first", "warm_boot": "warm", "reconnects": "warm, 3 reconnects"}


def _memory_cells(boot: dict | None) -> list[str]:
    if not boot:
        return ["–", "–", "–"]
    return [boot["tls"], kib(boot["min_heap_kib"]), str(boot["retained_bytes"])]


def labels(every: list[dict]) -> list[str]:
    """What to call each interpreter: "64-bit", and by its name too where two have as many."""
    bits = [found["bits"] for found in every]
    return [
        f"{one}-bit {found['interpreter']}" if bits.count(one) > 1 else f"{one}-bit"
        for one, found in zip(bits, every, strict=True)
    ]


def _names(every: list[dict]) -> str:
    called = zip(labels(every), every, strict=True)
    return ", ".join(f"{label}: {found['release']}" for label, found in called)


def kib(value: float) -> str:
    """A heap's KiB with one decimal, rounded up: so much is enough."""
    return f"{math.ceil(value * 10) / 10:.1f}"


def _growth_table(results: dict) -> str:
    every = results["memory"]
    rows = [["client"]]
    for label in labels(every):
        rows[0] += [f"{label}: bytes", "names"]
    for name, client in results["clients"].items():
        grown = [found["clients"].get(name, {}).get("growth") for found in every]
        if any(grown):
            cells = [str(one[key]) if one else "–" for one in grown for key in ("bytes", "names")]
            rows.append([client["title"], *cells])
    return table(rows) if rows[1:] else ""


def _reads_table(results: dict) -> str:
    reads = results["flash_reads"]
    return table(
        [
            ("of", "reads"),
            ("a first boot", str(reads["first_boot"])),
            ("a warm boot", str(reads["warm_boot"])),
            ("writing all of lib/", str(reads["created_total"])),
            (f"the worst file of it, {reads['worst_path']}", str(reads["worst_file"])),
        ]
    )


def _flash_table(results: dict) -> str:
    total = results["flash_mpy_total"]
    return table(
        [
            ("module", "bytes"),
            *((f"`{name}`", str(size)) for name, size in results["flash_mpy_bytes"].items()),
            ("dynreg without its certificates", str(total["dynreg"])),
            ("its certificates (roots/)", str(total["certificates"])),
            ("hub, the vendor's names", str(total["hub"])),
        ]
    )


def table(rows: Iterable[Iterable[str]]) -> str:
    """Rows, the first a heading, as a Markdown table; columns of figures to the right."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = [all(_figure(cell) for cell in column[1:]) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    rule = [
        "-" * (width - 1) + (":" if right else "-")
        for width, right in zip(widths, figures, strict=True)
    ]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join(lines)


def _figure(cell: str) -> bool:
    return cell.lstrip("-")[:1].isdigit() or cell in ("–", "")
