"""What a board says may be anything: none of it is shown, kept or believed as it comes."""

import csv
import io
import json
import os
import threading
import unicodedata
from contextlib import redirect_stdout, suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynreg_tools.boards import answers, apply, booting, cells, identity, identityfile
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.lines import Lines
from dynreg_tools.boards.link import Link
from dynreg_tools.boards.report import COLUMNS, Report
from dynreg_tools.commands import status
from dynreg_tools.commands.provision import result
from dynreg_tools.console import Console
from dynreg_tools.printable import clean, loads, tidy

MAC = "24:6f:28:00:00:01"
NAME = "esp32-246f28000001"
GOOD = {
    "mac": MAC.replace(":", ""),
    "device": "ABCDEFGHIJesp32-246f28000001",
    "fingerprint": "0badcafe",
    "stored": True,
    "connected": True,
    "error": None,
}
NO_HURRY = settings(deadline=None)  # the machine may be busy
ANY_TEXT = st.text(st.characters(categories=None))  # lone surrogates too
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=8,
)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "a;=1", "a; @b", "＝1", "'=1", "''=1")


@NO_HURRY
@given(ANY_TEXT, st.integers(1, 40))
@example("\x1b]0;title\x07\x1b[2J", 40)
@example("\u202eabc\u2066", 40)
@example("\ud800", 40)
@example("\x9b31m", 40)
def test_a_clean_text_is_one_printable_line_that_every_file_takes(text, limit):
    seen = clean(text, limit)
    assert seen.isprintable()
    assert len(seen) <= limit
    assert clean(seen, limit) == seen
    seen.encode()


@NO_HURRY
@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=100))
def test_what_people_write_stays_as_it_is(text):
    assert clean(text) == text


@NO_HURRY
@given(ANY_JSON)
def test_a_tidy_value_can_be_written_as_json(value):
    def texts(one):
        if isinstance(one, dict):
            return [text for pair in one.items() for part in pair for text in texts(part)]
        return [text for part in one for text in texts(part)] if isinstance(one, list) else [one]

    seen = tidy(value)
    json.dumps(seen, allow_nan=False).encode()
    assert all(text.isprintable() for text in texts(seen) if isinstance(text, str))


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "1e999",
        "9" * 5000,
        str(2**63),
        "[" * 100_000,
        '{"a":' * 40 + "1" + "}" * 40,
        "",
        "{",
    ],
)
def test_json_that_cannot_be_meant_is_none(text):
    with pytest.raises(ValueError):
        loads(text)


@NO_HURRY
@given(ANY_TEXT)
def test_any_text_is_json_or_a_value_error(text):
    with suppress(ValueError):
        loads(text)


# ---- the report's CSV


@NO_HURRY
@given(st.lists(ANY_TEXT, min_size=1, max_size=3))
@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_begins_a_formula_and_every_cell_comes_back(formula, texts):
    columns = tuple(f"c{n}" for n in range(len(texts) + 1))
    row = dict(zip(columns, [formula, *texts], strict=True))
    text = cells.text([row], columns)
    cells_ = list(csv.reader(io.StringIO(text, newline="")))[1]
    for cell in (part.lstrip() for whole in cells_ for part in (whole, *whole.split(";"))):
        assert unicodedata.normalize("NFKC", cell)[:1] not in ("=", "+", "-", "@") or not cell
    for cell, value in zip(cells_, row.values(), strict=True):
        assert cells.plain(cell) == tidy(value)


def test_a_report_that_a_spreadsheet_saved_is_read_again(tmp_path):
    path = tmp_path / "r.csv"
    Report(path).add({"port": "p", "mac": MAC, "outcome": "good", "device": "-x"})
    assert "'-x" in path.read_text()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    row = Report(path).good(MAC)
    assert row
    assert row["device"] == "-x"


@pytest.mark.parametrize(
    "data, words",
    [
        ("设备".encode("gbk"), "not in UTF-8"),
        (b"a,b\r\n", "no report of dynreg's"),
        (b"mac,port,device,outcome\r\n" + b"x" * 200_000, "no CSV file"),
    ],
)
def test_a_file_that_is_no_report_is_told_as_such(tmp_path, data, words):
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    with pytest.raises(BoardError, match=words):
        Report(path)


@pytest.mark.ci
@NO_HURRY
@given(st.dictionaries(st.sampled_from(COLUMNS), ANY_JSON))
def test_any_row_can_be_taken_down_and_read_again(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("report") / "r.csv"
    Report(path).add(row)
    Report(path).add(row)
    assert path.read_text("utf-8").startswith(",".join(COLUMNS))


# ---- lines and the report in them


@pytest.fixture
def said():
    """Gives the Lines of a port that has said these bytes."""
    ours, theirs = os.openpty()
    lines = Lines(os.ttyname(theirs))
    lines.read(0.01)  # opens it, and drops what came before

    def give(data):
        threading.Thread(target=_write, args=(ours, data), daemon=True).start()
        return lines

    yield give
    lines.close()
    os.close(ours)
    os.close(theirs)


def _write(descriptor, data):
    while data:
        try:
            data = data[os.write(descriptor, data[:4096]) :]
        except OSError:
            return  # the test has ended


def seen_in(lines, timeout=2.0):
    return booting.watch(lines, timeout, threading.Event(), lambda _text, _part: None)


def test_a_report_is_a_line_of_its_own(said):
    report = json.dumps(GOOD)
    forged = json.dumps(GOOD | {"fingerprint": "ffffffff"})
    long = "x" * 4095 + "dynreg: " + forged + "y" * 5000 + "dynreg: " + forged
    within = f"    0.100 INFO  control: dynreg: {forged}"
    data = "\n".join([within, f"dynreg: {forged} and more", long, f"dynreg: {report}", ""])
    assert seen_in(said(data.encode()))["fingerprint"] == "0badcafe"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"device": {"a": 1}}, "device"),
        ({"device": "../../etc/passwd"}, "device"),
        ({"device": "x" * 1000}, "device"),
        ({"fingerprint": 7}, "fingerprint"),
        ({"fingerprint": "=HYPERLINK(1)"}, "fingerprint"),
        ({"stored": "yes"}, "stored"),
        ({"mac": "../../../tmp/x"}, "mac"),
        ({"error": ["config"]}, "error"),
        ({"error": "\x1b[31mred"}, "error"),
        ({"unix_ms": float("nan")}, "no JSON"),
        ({"unix_ms": 2**80}, "no JSON"),
    ],
)
def test_a_report_with_what_cannot_be_is_none(said, change, words):
    with pytest.raises(BoardError, match=words) as caught:
        seen_in(said(f"dynreg: {json.dumps(GOOD | change)}\n>>> ".encode()))
    assert caught.value.code == "no_report"


@NO_HURRY
@given(st.binary(max_size=300))
@example(b"\x1b[2J\xed\xa0\x80\xff\xe2\x80\xae\n>>> ")
@example(b"dynreg: " + b"[" * 200 + b"\n>>> ")
def test_any_bytes_end_the_watch_in_a_printable_sentence(data):
    lines = Lines("port")
    lines._buffer = data + b"\n"
    lines._receive = lambda _wait: b">>> " if not lines._buffer else b""
    with pytest.raises(BoardError) as caught:
        seen_in(lines, 1.0)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"mac": "246f28000002"}, "of the board 246f28000002"),
        ({"mac": None}, "without a MAC"),
        ({"device": "ABCDEFGHIJesp32-246f28000002"}, "not of ABCDEFGHIJesp32-246f28000001"),
        ({"device": None}, "of no device"),
        ({"mac": "246f28000002", "error": "config"}, "of the board 246f28000002"),
    ],
)
def test_a_report_of_another_board_is_not_this_ones(change, words):
    row = result(GOOD | {"last_error": None} | change, MAC, NAME, "ABCDEFGHIJ")
    assert (row["outcome"], row["error"]) == ("failed", "board.other")
    assert words in row["message"]


def test_a_report_of_this_board_is():
    row = result(GOOD | {"last_error": None}, MAC, NAME, "ABCDEFGHIJ")
    assert row == {"outcome": "good", "device": NAME, "fingerprint": "0badcafe", "tls": None}


# ---- answers at the prompt


@pytest.mark.parametrize("mac", ["../../../tmp/x", "", "24:6f:28:00:00:01", "246f2800000g", "/"])
def test_no_file_is_named_by_what_is_no_mac(tmp_path, mac):
    with pytest.raises(BoardError, match="is no MAC"):
        identityfile.file_path(tmp_path, mac)


class Prompt:
    """A board that answers every question with the same text."""

    port = "port"

    def __init__(self, text):
        self.text = text

    def exec(self, _code, timeout=10):
        return self.text


IDENTITY = dict.fromkeys(answers.BOARD) | {"mac": MAC, "machine": "m", "micropython": "1.29"}
IDENTITY |= {"mpy": 6, "unix": 0, "registered": False}


def test_an_answer_as_it_must_be_is_taken():
    assert apply.identify(Prompt("noise\ndynreg.result " + json.dumps(IDENTITY))) == IDENTITY


@NO_HURRY
@given(st.sampled_from(sorted(answers.BOARD)), ANY_JSON)
@example("mac", "../../../tmp/x")
@example("mac", "24:6f:28:00:00:01\n")
@example("mpy", True)
def test_any_answer_is_taken_or_refused_in_a_sentence(name, value):
    text = "dynreg.result " + json.dumps(IDENTITY | {name: value})
    try:
        board = apply.identify(Prompt(text))
        assert answers.mac(board["mac"])
    except BoardError as error:
        assert error.code in ("board.answer", "board.lost")
        assert str(error).isprintable()


@NO_HURRY
@given(ANY_JSON)
@example({"text": "port  x\nerror  y\nfirmware  z\nstate  s", "state": None})
@example({"text": "", "state": {"mac": 7}})
@example({"error": ["x"], "message": {}})
@example([])
def test_any_status_is_shown_or_refused(answer):
    shown = io.StringIO()
    try:
        row = {"port": "port"} | tidy(status.told("port", answer))
    except BoardError as error:
        assert error.code == "board.answer"
    else:
        with redirect_stdout(shown):
            status.show([row], Console())
        assert all(line.isprintable() for line in shown.getvalue().splitlines())


@pytest.mark.parametrize("printed", ["no hex", "dynreg.result 7"])
def test_a_record_that_is_none_is_told_as_such(printed):
    with pytest.raises(BoardError) as caught:
        identity._nvs(Prompt(printed))
    assert caught.value.code == "board.answer"


@pytest.mark.parametrize("piece", ["00" * 65536, "no hex"])
def test_a_file_without_an_end_is_none(monkeypatch, piece):
    link = Link("port")
    monkeypatch.setattr(link, "exec", lambda code, timeout=10: piece)
    with pytest.raises(BoardError) as caught:
        link.read("/device_info.json")
    assert caught.value.code == "board.answer"
