"""The figures as aligned tables: for the terminal, and in docs/performance.md."""

from collections.abc import Iterable
from pathlib import Path

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
    parts += ["Memory (64-bit):", _memory_table(results)]
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
    rows = [("client", "TLS", "boot", "round trips", "least–most", "bytes", "packets", "HTTPS")]
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
        rows[0] = (*rows[0], "completed")
    return table(rows)


def _memory_table(results: dict) -> str:
    rows = [("client", "boot", "smallest heap, KiB", "kept at the end, bytes")]
    for boots in results["clients"].values():
        rows += [
            (
                boots["title"],
                kind.replace("_boot", ""),
                str(boots[kind]["min_heap_kib"] or "–"),
                str(boots[kind]["retained_bytes"] or "–"),
            )
            for kind in BOOTS
        ]
    return table(rows)


def _flash_table(results: dict) -> str:
    total = results["flash_mpy_total"]
    return table(
        [
            ("module", "bytes"),
            *((name, str(size)) for name, size in results["flash_mpy_bytes"].items()),
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
    return cell[:1].isdigit() or cell in ("–", "")
