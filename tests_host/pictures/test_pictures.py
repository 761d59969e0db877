"""The pictures of docs/: each as it would be drawn now, whole, small, and on its own."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from dynreg_tools.bench.drawing import COLOURS, SIZE, data_of
from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard.board import TORN
from tests_host.pictures import catalogue, demo, power
from tests_host.pictures.architecture import BOXES
from tests_host.pictures.catalogue import DOCS, PICTURES
from tests_host.pictures.shapes import PictureError
from tests_host.power import cuts

DRAWN = [pytest.param(name, file, id=file) for name in PICTURES for file in PICTURES[name]]
SVGS = sorted(DOCS.glob("*.svg"))
SPACE = "{http://www.w3.org/2000/svg}"
LIMIT = 100_000  # bytes; of README's recording five times as many would do
NARROW = 328  # px that a page of GitHub's leaves for a picture on a phone of 360


@pytest.mark.parametrize("name, file", DRAWN)
def test_a_picture_is_as_it_would_be_drawn_now(name, file):
    assert (DOCS / file).read_text("utf-8") == PICTURES[name][file]()


def test_every_svg_of_the_pages_is_one_of_them():
    assert [path.name for path in SVGS] == sorted(file for of in PICTURES.values() for file in of)


@pytest.mark.parametrize("path", SVGS, ids=lambda path: path.name)
def test_a_picture_is_small_and_asks_nobody_else(path):
    text = path.read_text("utf-8")
    assert len(text.encode()) < LIMIT
    assert (
        re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\"<]*\.(?:css|woff2?|ttf|js)", text) == []
    )
    assert (
        re.findall(r"href=|url\(|@import|@font-face|<script|<foreignObject|\son\w+=", text) == []
    )


@pytest.mark.parametrize("path", SVGS, ids=lambda path: path.name)
def test_a_screen_reader_is_told_what_it_shows(path):
    root = ElementTree.parse(path).getroot()
    assert root.get("role") == "img"
    named = root.get("aria-labelledby").split()
    texts = {element.get("id"): element.text for element in root if element.get("id")}
    assert all(texts[name] for name in named)
    assert [element.tag for element in root][:2] == [SPACE + "title", SPACE + "desc"]


@pytest.mark.parametrize("path", SVGS, ids=lambda path: path.name)
def test_text_can_be_read_on_a_phone(path):
    root = ElementTree.parse(path).getroot()
    scale = min(1, NARROW / float(root.get("width")))
    sizes = {float(text.get("font-size", SIZE)) for text in root.iter(SPACE + "text")}
    assert min(sizes) * scale >= 10


def luminance(colour):
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card"])
@pytest.mark.parametrize(
    "name", [name for name in COLOURS if name not in ("page", "card", "rule")]
)
def test_text_stands_out(name, ground, scheme):
    high, low = sorted(
        (luminance(COLOURS[colour][scheme]) for colour in (name, ground)), reverse=True
    )
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG AA


def test_the_architecture_names_what_there_is():
    for box in BOXES:
        for path in box.paths():
            assert (ROOT / path).exists(), path


def test_the_recording_is_clean():
    """The demo has searched all that it printed; what a picture shows is a part of that."""
    text = (DOCS / "demo.svg").read_text("utf-8")
    assert "secrets in anything printed: none" in text
    assert re.findall(r"/tmp/|/home/|\b[A-Za-z0-9+/]{22,}={1,2}", text) == []


def test_a_recording_that_needs_a_terminal_is_refused():
    with pytest.raises(PictureError, match="a control character"):
        demo.draw([[0.1, "plain\r\n"], [0.2, "\x1b[31mred\r\n"]])


@pytest.mark.parametrize("text", [None, "", "<svg>", "<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_a_picture_without_its_figures_says_what_to_do(tmp_path, monkeypatch, text):
    monkeypatch.setattr(catalogue, "DOCS", tmp_path)
    if text is not None:
        (tmp_path / "demo.svg").write_text(text)
    with pytest.raises(PictureError, match=r"docs/demo\.svg has no figures, a new run is needed"):
        PICTURES["demo"]["demo.svg"]()


def test_the_recording_keeps_the_order_and_the_words():
    rows = demo.rows([[0.5, "1. one\r\n  bo"], [0.9, "ard | " + "word " * 20 + "\r\n"]])
    assert [row.at for row in rows] == [0, 0.5, 0.5, 0.5, 0.5]
    assert rows[2].text.startswith("  board | word")
    assert sum(row.text.count("word") for row in rows) == 20
    assert max(len(row.text) for row in rows) <= demo.COLUMNS


def test_no_cut_costs_a_credential():
    found = data_of((DOCS / "power-cuts.svg").read_text("utf-8"))
    assert list(found) == list(power.PANELS)
    for panel, states in found.items():
        assert list(states) == list(TORN), panel
        for cells in states.values():
            assert set(cells) <= set("-F2N1b")
            # Once it is stored it stays, but for a person who has it forgotten.
            assert "Forget" in panel or re.fullmatch("[-F]*[2N1b]+", cells), (panel, cells)


# Each panel's row and column in the table of docs/credentials.md.
IN_THE_TABLE = {
    "The whole first boot, with the hub, littlefs": ("the whole first boot, with the hub", 1),
    "Store a secret, FAT": ("store a secret", 2),
    "Store a certificate and its key, littlefs": ("store a certificate with its key", 1),
    "A fresh device_info.json over it, littlefs": ("copy a fresh device_info.json over it", 1),
    "Forget on purpose, littlefs": ("forget", 1),
}


@pytest.mark.parametrize("panel", power.PANELS)
def test_the_table_of_the_page_counts_the_same_cuts(panel):
    row, column = IN_THE_TABLE[panel]
    page = (DOCS / "credentials.md").read_text("utf-8")
    (line,) = re.findall(rf"^\| {re.escape(row)} \|.*$", page, re.MULTILINE)
    states = data_of((DOCS / "power-cuts.svg").read_text("utf-8"))[panel]
    assert int(line.split("|")[column + 1]) == sum(map(len, states.values()))


@pytest.mark.parametrize(
    "output, letter",
    [
        ("credential: the second copy was missing, healed", "1"),
        ("credential: the copy in /device_info.json was damaged, healed", "2"),
        ("STATE none\nCOPIES good good\nSTATE right", "-"),
        ("register: stored in /device_info.json and in NVS", "-"),
        ("STATE right\nCOPIES good good", "b"),
    ],
)
def test_where_a_credential_came_back_from(output, letter):
    assert cuts.back_from(output) == letter


def command(*arguments):
    words = [sys.executable, "-m", "tests_host.pictures", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.process
def test_the_command_says_what_is_as_it_is():
    result = command("flow", "--check", "--json")
    assert json.loads(result.stdout) == {"flow.svg": False, "flow.zh-CN.svg": False}
    assert result.returncode == 0


@pytest.mark.process
@pytest.mark.parametrize(
    "arguments, says",
    [(["nothing"], "there is no nothing here"), (["--run"], "--run needs a name")],
)
def test_the_command_says_what_it_cannot_do(arguments, says):
    result = command(*arguments)
    assert says in result.stderr
    assert result.returncode == 2
