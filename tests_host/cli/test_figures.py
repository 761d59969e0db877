"""No figure of a page goes stale: each is a command's, held here, or says when it was measured.

In a page's prose a number with a unit (pagefigures.py) is one of these:
* between the comments of a command that writes it;
* in a paragraph, or a table with the paragraph above it, that says a date: measured by hand;
* in LIMITS or OF_A_PAGE: a constant or a default of the code;
* in MEASURED: worked out here, from sizes or from what another test holds;
* in SAID: a fact of others, with its source, or an example.

After a change that is meant `DYNREG_GOLDEN=write ./dev test tests_host/cli/test_figures.py`
writes those of MEASURED anew.
"""

import os
import re

import pytest

from dynreg_tools import sources
from dynreg_tools.hub.faults import CATALOGUE
from tests_host.bench import services
from tests_host.bench.limits import limits
from tests_host.cli import pagefigures
from tests_host.cli.pagefigures import constant, figures, mpy_bytes, pages, service_heap

LIB, HUB, BOARDS = "lib/dynreg/", "tools/dynreg_tools/hub/", "tools/dynreg_tools/boards/"
VIRTUAL = "tools/dynreg_tools/virtualboard/"
_BACKOFF = LIB + "connect/backoff.py"
LIMITS = {  # what pages say of time and size, and the constant or default that it is
    "1 KB": f"{LIB}services/ota/unpack.py _CHUNK",
    "4 KB": f"{LIB}services/queue.py _FILE",
    "16 KB": f"{LIB}mqtt/session.py _LARGEST",
    "16,384 bytes": f"{LIB}mqtt/session.py _LARGEST",
    "64 packets": f"{LIB}mqtt/session.py _MOST",
    "5 ms": f"{LIB}mqtt/timesync.py _GOOD_MS",
    "10 ms": f"{LIB}services/aio.py _STEP_MS",
    "0.1 s": f"{LIB}services/aio.py _SLICE_MS",
    "2 s": f"{LIB}mqtt/session.py _GOODBYE_MS",
    "4 s": f"{LIB}services/rrpc.py _SURE_MS",
    "5 s": f"{_BACKOFF} _FIRST_MS",
    "10 s": f"{LIB}mqtt/session.py _ANSWER_MS",
    "15 s": f"{LIB}connect/wifi.py join.ms",
    "30 s": f"{LIB}register/first_boot.py _DEADLINE_MS",
    "60 s": f"{LIB}mqtt/session.py publish.ms",
    "2 minutes": f"{LIB}services/ota/__init__.py _AWAY_MS",
    "5 min": f"{_BACKOFF} _MOST_MS",
    "5 minutes": f"{_BACKOFF} _MOST_MS",
    "10 minutes": f"{LIB}services/firmware.py _SECONDS",
    "15 min": f"{LIB}mqtt/session.py _AGAIN_MS",
    "15 minutes": f"{LIB}mqtt/session.py _AGAIN_MS",
    "16 MB": f"{HUB}services/updates.py MOST_FILE",
    "128 KiB": f"{BOARDS}logs.py LIMIT",
}
OF_A_PAGE = {  # the same, where the figure is something else in this page
    ("docs/hardware.md", "20 ms"): f"{VIRTUAL}firmware/_boot.py _READS_MS",
    ("docs/herd.md", "16 KB"): "tools/dynreg_tools/commands/hub.py _TLS_BUFFER",
    ("docs/hub.md", "15 s"): f"{HUB}limits.py idle_timeout",
    ("docs/hub.md", "30 s"): f"{HUB}workbench/access.py _SEND_LIMIT_S",
    ("docs/hub.md", "64 KB"): f"{HUB}workbench/access.py BODY_LIMIT",
    ("docs/ota.md", "16 KB"): f"{LIB}services/ota/download.py _PIECE",
    ("docs/ota.md", "64 KB"): f"{LIB}services/firmware.py _NOTED",
    ("docs/performance.md", "256 bytes"): "tools/dynreg_tools/bench/heap.py STEP",
    ("docs/provisioning.md", "20 s"): f"{BOARDS}entering.py ENTER_S",
    ("docs/provisioning.md", "3 s"): f"{BOARDS}entering.py _BOOT_PY_S",
    ("docs/provisioning.md", "6 s"): f"{BOARDS}entering.py SILENT_S",
    ("docs/setup.md", "1 KB"): f"{LIB}services/setup/http.py _BODY",
    ("docs/setup.md", "20 s"): f"{LIB}services/setup/radio.py _TRY_MS",
    ("docs/setup.md", "3 KB"): f"{LIB}services/setup/http.py _HEAD",
    ("docs/setup.md", "3 s"): f"{LIB}services/setup/portal.py _SHOWN_MS",
    ("docs/setup.md", "30 s"): f"{LIB}services/setup/portal.py _UNSEEN_MS",
    ("docs/setup.md", "40 s"): f"{LIB}services/setup/radio.py _ADDRESS_MS",
    ("docs/setup.md", "5 s"): f"{LIB}services/setup/server.py _REQUEST_MS",
    ("docs/setup.md", "512 bytes"): f"{LIB}services/setup/dns.py MOST",
    ("docs/soak.md", "256 bytes"): "tests_host/soak/run.py SLACK",
}
RANGES = {  # the same, of two constants
    "15 to 60 min": (f"{_BACKOFF} _LATER_MS", f"{_BACKOFF} _SPREAD_MS"),
    "15 to 60 minutes": (f"{_BACKOFF} _LATER_MS", f"{_BACKOFF} _SPREAD_MS"),
}
# (page, what stands right before the figure): what it is, from the fixture `sizes`.
MEASURED = {
    ("README.md", "Few round trips;"): lambda sizes: (
        sizes["all of dynreg"] + sizes["all of certificates"] + sizes["all of hub"]
    ),
    ("README.md", "of flash and"): lambda _: _most_heap() * 1024,
    ("docs/hardware.md", "name what the stand-ins take | it is"): lambda _: constant(
        f"{VIRTUAL}board.py _FIRMWARE_HEAP"
    ),
    ("docs/ota.md", "an `Updater` takes"): lambda _: service_heap("ota"),
    ("docs/provisioning.md", "a board that does not import it spends"): lambda sizes: sizes[
        "all of hub"
    ],
    ("docs/provisioning.md", "tests_host.fleet.deploy_times 7`,"): lambda _: (
        len(sources.modules()) + 3  # boot.py, main.py, device_info.json
    ),
    ("docs/services.md", "besides asyncio's own:"): lambda _: service_heap("aio"),
    ("docs/services.md", "| ("): lambda sizes: sizes["dynreg/services/_replies.py"],
    ("firmware/README.md", "in the file system"): lambda sizes: sizes["all of dynreg"],
}
# (page, figure): why nothing here can tell.
SAID = {
    (
        "CONTRIBUTING.md",
        "2,560 bytes",
    ): "the aim for a service; limits.toml has what each may take",
    ("*", "1 s"): "ntptime's own time-out",
    ("docs/architecture.md", "200 ms"): "half of the 400 ms beside it",
    ("docs/architecture.md", "400 ms"): "an example",
    ("docs/api.md", "255 bytes"): "docs/protocol.md, 4",
    ("docs/api.md", "6 bytes"): "a MAC",
    ("docs/device_info.md", "32 bytes"): "a network's name, IEEE 802.11",
    ("docs/device_info.md", "8 to 63 bytes"): "WPA2's",
    ("docs/errors.md", "4 to 10 s"): "two constants of services/rrpc.py",
    ("docs/services.md", "2.5 KB"): "a module's limit, in tests_host/bench/test_limits.py",
    ("docs/setup.md", "12 bytes"): "how the password is made, in a test of its own",
    ("docs/setup.md", "120 s"): "settings.py's usual `after`, in a test of its own",
    ("docs/setup.md", "8 to 63 bytes"): "WPA2's",
    ("docs/hardware.md", "2 to 3 s"): "by MicroPython's sources",
    ("docs/hardware.md", "0.2 s"): "two slices of lwIP's, by its sources",
    ("docs/hardware.md", "24 KiB"): "of MicroPython's partition table",
    ("docs/hardware.md", "35 KB"): "mbedTLS's own, by its documentation",
    ("docs/hardware.md", "4 ms"): "the virtual board's, with each release of MicroPython another",
    ("docs/hardware.md", "40 ms"): "by data sheets",
    ("docs/hardware.md", "4096-byte"): "a sector of any flash chip",
    ("docs/herd.md", "256 KB"): "asyncio's own, in CPython's sources",
    ("docs/hub.md", "1 to 10 s"): "checked by the tests of the HTTP interface",
    ("docs/long.md", "40 minutes"): "the last run beside it says its own",
    ("docs/performance.md", "2 MiB"): "the RAM disk of the measurement, as a board has it",
    ("docs/performance.md", "2 packets"): "a request and its answer",
    ("docs/performance.md", "20 ms"): "the link of the measurement",
    ("docs/performance.md", "200 ms"): "the link of the measurement",
    ("docs/performance.md", "32-byte"): "of MicroPython's _boot.py",
    ("docs/performance.md", "40 ms"): "Linux's delayed ACK",
    ("docs/performance.md", "5 %"): "in limits.py beside the test",
    ("docs/provisioning.md", "0.1 to 0.2 s"): "two constants of entering.py, rounded",
    ("docs/provisioning.md", "2 s"): "the tests of a second Ctrl-C wait no longer",
    ("docs/services.md", "0.2 s"): "two slices of lwIP's, by its sources",
    ("docs/services.md", "15 KB"): "of MicroPython's ports/esp32",
    ("docs/services.md", "64 KB"): "an example of what the line before says",
    ("firmware/README.md", "1984 KiB"): "of MicroPython's partition table",
    ("firmware/README.md", "4 MiB"): "of MicroPython's partition table",
}
_SERVICE = re.compile(services.ROW)
REMEDY = (
    "write it by a command, hold it in MEASURED, name its constant or its source (in "
    "tests_host/cli/test_figures.py), or say in its paragraph when it was measured"
)
WRITES = os.environ.get("DYNREG_GOLDEN") == "write"
# Pages whose figures are the cloud's, with its sources, and that a test of its own holds.
OTHERS = ("docs/protocol.md", "docs/timeouts.md")
_DATE = re.compile(
    r"\b20\d\d-\d\d-\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December) 20\d\d\b"
)


def _most_heap():
    """KiB: the largest limit of a 32-bit boot."""
    kinds = (kind for client in limits()["32-bit"].values() for kind in client.values())
    return max(kind.get("min_heap_kib", 0) for kind in kinds)


def measured(page, figure):
    """The function of MEASURED for a figure, if there is one."""
    for (of, before), value in MEASURED.items():
        if of == page and figure.before.endswith(before):
            return value
    return None


def held(page, figure, sizes):
    """What a figure is now, in bytes, milliseconds or pieces; None where nothing here can tell."""
    value = measured(page, figure)
    if value:
        return [value(sizes)]
    if (page, figure.text) in SAID:
        return None
    if figure.text in RANGES:
        least, spread = map(constant, RANGES[figure.text])
        return [least, least + spread]
    limit = OF_A_PAGE.get((page, figure.text)) or LIMITS.get(figure.text)
    return [constant(limit)] if limit and ("*", figure.text) not in SAID else None


def dated(lines, number):
    """Whether the paragraph of a line, a table with the one above it, says a date."""
    paragraphs = [[]]
    for at, line in enumerate(lines, 1):
        if line.strip():
            paragraphs[-1].append((at, line))
        elif paragraphs[-1]:
            paragraphs.append([])
    for before, paragraph in zip([[], *paragraphs], paragraphs, strict=False):
        if any(at == number for at, _ in paragraph):
            table = paragraph[0][1].startswith("|")
            return any(_DATE.search(line) for _, line in [*(before if table else ()), *paragraph])
    return False


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    return mpy_bytes(tmp_path_factory.mktemp("mpy"))


@pytest.mark.parametrize("page", sorted(set(pages()) - set(OTHERS)))
def test_each_figure_is_held_dated_or_anothers(page, sizes):
    text = pages()[page]
    lines, faults = text.split("\n"), []
    for figure in reversed(figures(text)):
        if _SERVICE.match(lines[figure.line - 1]):
            continue  # test_services.py
        place = f"{page}:{figure.line}: {figure.text}"
        is_now = held(page, figure, sizes)
        if is_now is None:
            known = {(page, figure.text), ("*", figure.text)} & SAID.keys()
            if not known and not dated(lines, figure.line):
                faults.append(f"{place}: {REMEDY}")
        elif any(
            abs(said - now) > figure.rounding
            for said, now in zip(figure.values, is_now, strict=True)
        ):
            faults.append(f"{place} is {is_now[0]:g} (bytes, ms or pieces) now")
            if WRITES and measured(page, figure):
                end = figure.start + len(figure.text)
                text = text[: figure.start] + figure.now(is_now[0]) + text[end:]
                faults.pop()
    if text != pages()[page]:
        (sources.ROOT / page).write_text(text, "utf-8")
    assert faults == []


def test_nothing_is_excused_that_no_page_says():
    said = {(page, figure.text) for page, text in pages().items() for figure in figures(text)}
    excused = {key for key in (*SAID, *OF_A_PAGE) if key[0] != "*"}
    assert excused - said == set()
    found = {
        (of, before)
        for page, text in pages().items()
        for figure in figures(text)
        for of, before in MEASURED
        if of == page and figure.before.endswith(before)
    }
    assert set(MEASURED) - found == set()


# ---- what is counted in words


def test_a_hundred_faults_and_more():
    assert len(CATALOGUE) > 100
    for page in ("README.md", "CHANGELOG.md"):
        text = (sources.ROOT / page).read_text("utf-8")
        assert re.search(r"over a hundred|more than a hundred|100\+|[>≥] ?100", text), page


def test_the_limit_of_the_core_is_what_the_pages_are_measured_against(sizes):
    assert sizes["all of dynreg"] <= limits()["flash"]["all of dynreg"]


# ---- the check itself


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("takes 4.4 KB, or 1,024 bytes", ["4.4 KB", "1,024 bytes"]),
        ("every 15 to 60 min", ["15 to 60 min"]),
        ("a 32-byte key in 3 s", ["32-byte", "3 s"]),
        ("MicroPython 1.29, 2026-11-28, 12:30, page 3", []),
        ("`--timeout 10 s`\n\n```\n5 KB\n```\n\n    6 KB\n", []),
        ("<!-- made by x -->\n7 KB\n<!-- end -->\n8 KB", ["8 KB"]),
        ("0 s and 0 bytes: nothing", []),
        ("5 seconds, 3 security fixes, 10 million", ["5 seconds"]),
    ],
)
def test_what_a_figure_is(text, found):
    assert [figure.text for figure in figures(text)] == found


def test_a_figure_and_what_it_stands_for():
    figure = pagefigures.Figure("4.4 KB")
    assert figure.values == [4.4 * 1024]
    assert abs(4500 - figure.values[0]) <= figure.rounding
    assert abs(4592 - figure.values[0]) > figure.rounding
    assert figure.now(4592) == "4.5 KB"
    assert pagefigures.Figure("15 to 60 min").values == [900_000, 3_600_000]


def test_a_date_is_its_paragraphs_or_that_above_its_table():
    lines = [
        "Measured in November 2026:",
        "",
        "| a | 1 KB |",
        "",
        "and 2 KB",
        "",
        "2026-11-28: 3 KB",
    ]
    assert [dated(lines, number) for number in (3, 5, 7)] == [True, False, True]
