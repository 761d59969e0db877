"""The one table printer: whatever the terminal's width, no cell is cut short."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console as Rich

from dynreg_tools.console import Bars, Console
from dynreg_tools.tables import table

COLUMNS = ("port", "mac", "device", "error")
ROWS = (
    ("/dev/ttyUSB0", "24:6f:28:00:00:01", "esp32-246f28000001", "-"),
    ("/dev/cu.usbserial-007", "24:6f:28:00:00:02", "x" * 40, "network.unacknowledged"),
)


def drawn(columns, rows, width, spare=()):
    return [line.plain for line in table(columns, rows, width, spare)]


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40, 10])
def test_ports_macs_names_and_errors_are_whole(width):
    lines = drawn(COLUMNS, ROWS, width)
    for row in ROWS:
        for cell in row:
            assert any(cell in line.split() for line in lines)
    assert max(map(len, lines)) <= max(width, 42)  # 42: the name, and what it is indented by


def test_spare_columns_go_first_and_a_line_says_so():
    lines = drawn(("port", "a", "b"), [("p1", "1" * 10, "2" * 10)], 16, spare=("a", "b"))
    assert lines == ["port  a", "p1    1111111111", "(no room for b: --json has all)"]


def test_headings_take_several_lines():
    row = ("p1", "ok", "yes")
    expected = {
        29: ["port  gateway dns  registered", "p1    ok           yes"],
        28: ["      gateway", "port  dns      registered", "p1    ok       yes"],
        24: ["      gate-", "      way    regis-", "port  dns    tered", "p1    ok     yes"],
        17: ["     gate-", "     way   regis-", "port dns   tered", "p1   ok    yes"],
    }
    for width, lines in expected.items():
        assert drawn(("port", "gateway dns", "registered"), [row], width) == lines


def test_prose_is_wrapped_between_its_words():
    row = ("dns-silent", "no answer to any question")
    lines = drawn(("name", "text"), [row], 24)
    assert lines == ["name       text", "dns-silent no answer to", "           any question"]


def test_rows_are_stacked_where_nothing_else_helps():
    assert drawn(("port", "mac", "device"), [("p1", "m" * 12, "d" * 12)], 20) == [
        "port  mac",
        "  device",
        "p1    mmmmmmmmmmmm",
        "  dddddddddddd",
    ]


WORD = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=30)
CELL = st.one_of(WORD, st.lists(WORD, min_size=1, max_size=5).map(" ".join))


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, WORD, CELL), min_size=1, max_size=4), st.integers(1, 140))
def test_no_word_is_lost_or_parted_whatever_the_cells(rows, width):
    lines = drawn(("a", "b", "c"), rows, width)
    words = [word for line in lines for word in line.split()]
    for row in rows:
        for cell in row:
            for word in cell.split():
                words.remove(word)
    longest = max(cell_len(word) for row in rows for cell in row for word in cell.split())
    if longest + 2 <= width and all(" " not in cell for row in rows for cell in row):
        assert max(map(cell_len, lines)) <= width


def test_wide_characters_keep_the_columns_below_one_another():
    lines = drawn(("name", "state"), [("温度计", "ok"), ("lamp-1", "ok")], 80)
    assert lines == ["name    state", "温度计  ok", "lamp-1  ok"]


def test_a_terminal_that_says_no_width_is_taken_for_one_of_80(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "0")
    monkeypatch.setenv("FORCE_COLOR", "1")
    Console().say("here")
    assert capsys.readouterr().out == "here\n"


def test_a_table_without_rows_has_its_headings(capsys):
    Console().table([], COLUMNS)
    assert capsys.readouterr().out == "port  mac  device  error\n"


@pytest.mark.parametrize("width", [80, 60, 40])
def test_bars_keep_the_port_whole(width):
    out = io.StringIO()
    rich = Rich(file=out, width=width, force_terminal=True, force_interactive=True)
    ports = ["boards/usb-hub-1/port", "boards/usb-hub-2/port"]
    with Bars(rich, ports, "boards") as bars:
        bars.step(ports[0], "asking who it is", 0.5)
        bars.done(ports[1], "good")
    shown = out.getvalue()
    assert ports[0] in shown
    assert ports[1] in shown
    assert "asking who it is" in shown
    assert ("━" in shown) == (width >= 60)


def test_what_is_alike_is_said_once(capsys):
    rows = [
        {"port": "p1", "error": "timeout", "message": "no report", "what_to_do": "look"},
        {"port": "p2", "error": "timeout", "message": "no report", "what_to_do": "look"},
        {"port": "p3", "error": None, "message": None},
    ]
    console = Console()
    console.errors(rows, "port", "error")
    console.actions(rows)
    assert capsys.readouterr().out == (
        "p1, p2: timeout: no report\nwhat to do about timeout: look\n"
    )
