"""No figure of a page goes stale: each is a command's, held here, or says when it was measured.

In a page's prose a number with a unit (pagefigures.py) is one of these:
* between the comments of a command that writes it;
* in a paragraph, or a table with the paragraph above it, that says a date: measured by hand;
* in HELD: worked out here, from the code or from what a test holds;
* in SAID: a fact of others, with its source, or an example.
"""

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
_LIMITS = {  # what pages say of time and size, and the constant or default that it is
    "1 KB": f"{LIB}services/ota/unpack.py _CHUNK",
    "4 KB": f"{LIB}services/queue.py _FILE",
    "16 KB": f"{LIB}mqtt/session.py _LARGEST",
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
    "5 min": f"{_BACKOFF} _MOST_MS",
    "5 minutes": f"{_BACKOFF} _MOST_MS",
    "10 minutes": f"{LIB}services/firmware.py _SECONDS",
    "15 min": f"{LIB}mqtt/session.py _AGAIN_MS",
    "15 minutes": f"{LIB}mqtt/session.py _AGAIN_MS",
    "16 MB": f"{HUB}services/updates.py MOST_FILE",
    "128 KiB": f"{BOARDS}logs.py LIMIT",
}
_OF_A_PAGE = {  # the same, where the figure is something else in this page
    ("docs/hardware.md", "20 ms"): f"{VIRTUAL}firmware/_boot.py _READS_MS",
    ("docs/hardware.md", "54 KiB"): f"{VIRTUAL}board.py _FIRMWARE_HEAP",
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
    ("docs/soak.md", "256 bytes"): "tests_host/soak/run.py SLACK",
}
# (page, figure): a function of the pytest fixture `sizes` that gives its values.
HELD = {
    ("*", "15 to 60 min"): lambda _: _later(),
    ("*", "15 to 60 minutes"): lambda _: _later(),
    ("docs/errors.md", "4 to 10 s"): lambda _: [
        constant(f"{LIB}services/rrpc.py _SURE_MS"),
        constant(f"{LIB}services/rrpc.py _LATEST_MS"),
    ],
    ("docs/performance.md", "1289 bytes"): lambda sizes: [sizes["dynreg/services/_replies.py"]],
    ("docs/services.md", "1.3 KB"): lambda sizes: [sizes["dynreg/services/_replies.py"]],
    ("docs/services.md", "3.5 KB"): lambda _: [service_heap("aio")],
    ("docs/ota.md", "4.5 KB"): lambda _: [service_heap("ota")],
    ("docs/provisioning.md", "6.6 KB"): lambda sizes: [sizes["all of hub"]],
    ("docs/provisioning.md", "39 files"): lambda _: [len(sources.modules()) + 3],
    ("firmware/README.md", "44 KB"): lambda sizes: [sizes["all of dynreg"]],
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
    ("docs/errors.md", "0 s"): "nothing is waited for",
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
# Pages whose figures are others' word by word, each with its source there.
OTHERS = ("docs/protocol.md",)
_DATE = re.compile(
    r"\b20\d\d-\d\d-\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December) 20\d\d\b"
)


def _later():
    least = constant(f"{_BACKOFF} _LATER_MS")
    return [least, least + constant(f"{_BACKOFF} _SPREAD_MS")]


def held(page, figure, sizes):
    """What a figure is now, in bytes, milliseconds or pieces; None where nothing here can tell."""
    for place in (page, "*"):
        if (place, figure) in HELD:
            return HELD[place, figure](sizes)
        if (place, figure) in SAID:
            return None
        limit = _OF_A_PAGE.get((page, figure)) if place == page else _LIMITS.get(figure)
        if limit:
            return [constant(limit)]
    return None


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
    faults = []
    for figure in figures(text):
        place = f"{page}:{figure.line}: {figure.text}"
        if _SERVICE.match(text.split("\n")[figure.line - 1]):
            continue  # test_services.py
        is_now = held(page, figure.text, sizes)
        if is_now is not None:
            for said, now in zip(figure.values, is_now, strict=True):
                if abs(said - now) > figure.rounding:
                    faults.append(f"{place} is {now:g} (bytes, ms or pieces) now")
        elif not ({(page, figure.text), ("*", figure.text)} & SAID.keys()) and not dated(
            text.split("\n"), figure.line
        ):
            faults.append(
                f"{place}: write it by a command, hold it in HELD, name its source in SAID "
                "(tests_host/cli/test_figures.py), or say the date of its measurement"
            )
    assert faults == []


def test_nothing_is_excused_that_no_page_says():
    said = {(page, figure.text) for page, text in pages().items() for figure in figures(text)}
    excused = {key for table in (SAID, HELD, _OF_A_PAGE) for key in table if key[0] != "*"}
    assert excused - said == set()


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
        ("5 seconds, 3 security fixes, 10 million", ["5 seconds"]),
    ],
)
def test_what_a_figure_is(text, found):
    assert [figure.text for figure in figures(text)] == found


def test_a_figure_and_what_it_stands_for():
    figure = pagefigures.Figure("4.4 KB", 1)
    assert figure.values == [4.4 * 1024]
    assert abs(4500 - figure.values[0]) <= figure.rounding
    assert abs(4592 - figure.values[0]) > figure.rounding
    assert pagefigures.Figure("15 to 60 min", 1).values == [900_000, 3_600_000]


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
