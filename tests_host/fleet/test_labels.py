"""Labels, read back with software that is not ours: QR codes by ZXing, text by PDFium."""

import itertools
import sys

import pypdfium2
import pytest
import segno
import zxingcpp
from PIL import Image, ImageOps

from dynreg_tools.boards import labels
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.labels import Label, Paper
from dynreg_tools.boards.report import Report
from tests_host.commands import dynreg
from tests_host.fleet import batchfolder

PRODUCT = "ABCDEFGHIJ"
LONG = "line_3:station-Greenhouse-North-Roof_0123456789a"  # 48 characters, as many as may be
NAMES = ("esp32-246f28000001", LONG, "W" * 48, "x")
SIZES = ("50x30", "62x29", "25x40", "40x15", "80x20", "30x30", "100.5x150")


def row(number, device, **more):
    mac = f"24:6f:28:00:00:{number:02x}"
    return {
        "port": f"p{number}",
        "mac": mac,
        "device": device,
        "outcome": "good",
        "product": PRODUCT,
    } | more


@pytest.fixture
def folder(tmp_path):
    """With batch.csv: good boards of each name, one that failed."""
    report = Report(tmp_path / "batch.csv")
    for number, name in enumerate(NAMES):
        report.add(row(number, name, fingerprint="c3c24db7"))
    report.add(row(9, "failed-one", outcome="failed", error="timeout"))
    return tmp_path


def make(folder, *arguments, code=0):
    result = dynreg("labels", "batch.csv", *arguments, cwd=folder)
    assert result.code == code, result
    return result


def code_of(picture):
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    return found.text


def words(page):
    """The text of a page, in one line; each of its characters is within the page."""
    text = page.get_textpage()
    width, height = page.get_size()
    for at in range(text.count_chars()):
        left, bottom, right, top = text.get_charbox(at)
        if right > left:
            assert 0 <= left < right <= width
            assert 0 <= bottom < top <= height
    found = text.get_text_range().replace("\ufffe", "-")  # PDFium's, for one at a line's end
    return "".join(found.split())


@pytest.mark.parametrize("size", SIZES)
def test_a_page_of_its_size_for_each_with_name_mac_and_code(folder, size):
    make(folder, "--out", "labels.pdf", "--size", size)
    document = pypdfium2.PdfDocument(folder / "labels.pdf")
    assert len(document) == len(NAMES)
    for number, name in enumerate(NAMES):
        page = document[number]
        sides = [side * 25.4 / 72 for side in page.get_size()]
        assert sides == pytest.approx([float(side) for side in size.split("x")], abs=0.01)
        assert words(page) == name + f"24:6f:28:00:00:{number:02x}"
        assert code_of(page.render(scale=300 / 72).to_pil()) == f"{PRODUCT}/{name}"
    document.close()


@pytest.mark.parametrize("dpi", [203, 300])
def test_a_picture_for_each_in_black_and_white_a_module_whole_dots(folder, dpi):
    made = make(folder, "--out", "out/labels", "--dpi", dpi, "--json").rows
    assert [row["device"] for row in made] == list(NAMES)
    for row in made:
        picture = Image.open(folder / row["file"])
        assert code_of(picture) == row["text"] == f"{PRODUCT}/{row['device']}"
        assert picture.mode == "1"
        assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)
        assert picture.size == (round(50 / 25.4 * dpi), round(30 / 25.4 * dpi))
        matrix = segno.make_qr(row["text"], error="m").matrix
        assert modules(picture, len(matrix)) == matrix
    files = sorted(path.name for path in (folder / "out/labels").iterdir())
    assert files == sorted(name.replace(":", "-") + ".png" for name in NAMES)


def modules(picture, count):
    """The code's modules, count in a row; of each all pixels are the same."""
    corners = zxingcpp.read_barcodes(picture.convert("L"))[0].position
    code = picture.crop((0, 0, corners.top_right.x + 2, picture.height)).convert("L")
    left, top, right, bottom = ImageOps.invert(code).getbbox()
    assert right - left == bottom - top
    dots, rest = divmod(right - left, count)
    assert rest == 0
    rows = []
    for y in range(top, bottom, dots):
        extrema = [
            code.crop((x, y, x + dots, y + dots)).getextrema() for x in range(left, right, dots)
        ]
        assert all(low == high for low, high in extrema)
        rows.append(bytearray(not low for low, _ in extrema))
    return tuple(rows)


def test_no_more_than_name_mac_and_product_is_on_a_label(folder):
    make(folder, "--out", "labels.pdf")
    document = pypdfium2.PdfDocument(folder / "labels.pdf")
    assert not any("c3c24db7" in words(page) for page in document)
    document.close()


def test_boards_that_failed_get_one_when_asked_for(folder):
    assert len(make(folder, "--out", "a.pdf", "--json").rows) == len(NAMES)
    everyone = make(folder, "--out", "b.pdf", "--json", "--all").rows
    assert everyone[-1]["device"] == "failed-one"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"device": None}, "the board 24:6f:28:00:00:10 has no device name in the report"),
        ({"device": "../x"}, "correct the row"),
        ({"device": "n" * 49}, "correct the row"),
        ({"mac": "../../x"}, "correct the row"),
        ({"mac": None}, "the board at p16 has no device name and MAC as a board has"),
        ({"product": "A B"}, "has no product id in the report: name --device-info"),
    ],
)
def test_a_row_that_names_no_board_is_told_and_holds_up_no_other(folder, change, words):
    Report(folder / "batch.csv").add(row(16, "b") | change)
    result = make(folder, "--out", "labels", code=1)
    assert words in result.out
    assert len(list((folder / "labels").iterdir())) == len(NAMES)
    assert {path.name for path in folder.iterdir()} == {"batch.csv", "batch.jsonl", "labels"}


def test_the_product_of_an_earlier_editions_report_is_device_infos(tmp_path):
    batchfolder.make_info(tmp_path)
    old = "port,mac,device,outcome,error,what_to_do,seconds,fingerprint\n"
    (tmp_path / "batch.csv").write_text(old + "p1,24:6f:28:00:00:01,one,good,,,1.1,c3c24db7\n")
    error = make(tmp_path, "--out", "a.pdf", code=1)
    assert "name --device-info" in error.out
    (made,) = make(tmp_path, "--out", "a.pdf", "--device-info", "device_info.json", "--json").rows
    assert made["text"] == "ABCDEFGHIJ/one"


def test_names_that_a_file_system_takes_for_the_same_have_files_of_their_own(tmp_path):
    report = Report(tmp_path / "batch.csv")
    for number, name in enumerate(("a:b", "a-b", "A-B")):
        report.add(row(number, name))
    made = make(tmp_path, "--out", "labels", "--json").rows
    assert len({made_row["file"].lower() for made_row in made}) == 3
    for made_row in made:
        assert code_of(Image.open(tmp_path / made_row["file"])) == made_row["text"]


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("--out", "a.pdf", "--size", "20x10"), 1, "a label of 20x10 mm has no room for "),
        (("--out", "a.pdf", "--size", "9x30"), 2, "'9x30' is no size: width x height in mm"),
        (("--out", "a.pdf", "--size", "big"), 2, "'big' is no size: width x height in mm"),
        (("--out", "a.pdf", "--dpi", "20"), 2, "'20' is no number of dots, 100 to 1200"),
        (("--out", "none/a.pdf"), 1, "none/a.pdf: cannot be written (No such file"),
        (("--out", "batch.csv"), 1, "batch.csv: cannot be written (File exists)"),
        ((), 2, "the following arguments are required: --out"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(folder, arguments, code, words):
    result = make(folder, *arguments, code=code)
    assert words in result.err
    assert not (folder / "a.pdf").exists()


def test_a_report_that_is_not_there_or_names_no_good_board(tmp_path):
    assert "batch.csv: no such report" in make(tmp_path, "--out", "a.pdf", code=1).err
    Report(tmp_path / "batch.csv").add(row(1, "b", outcome="failed"))
    assert "none is good (--all takes" in make(tmp_path, "--out", "a.pdf", code=1).err


# ---- where things are


SIDES = (15, 22, 29, 38, 50, 62, 100)


@pytest.mark.parametrize("name", NAMES)
def test_at_each_size_all_has_room_within_the_margins_or_it_is_refused(name):
    label = Label(PRODUCT, name, "24:6f:28:00:00:01")
    width = len(segno.make_qr(label.text, error="m").matrix)
    refused = 0
    for wide, high, dpi in itertools.product(SIDES, SIDES, (203, 300)):
        paper = Paper(wide, high, dpi)
        try:
            placed = labels.layout(label, width, paper)
        except BoardError:
            refused += 1
            continue
        side = placed.module * (width + 2 * labels.QUIET)
        boxes = [(*placed.code, side, side)]
        for line in placed.lines:
            assert line.points >= labels.SMALLEST
            high_of = line.points * labels.POINT
            wide_of = len(line.text) * labels.CHARACTER * high_of
            boxes.append((line.left, line.top, wide_of, high_of))
        for left, top, w, h in boxes:
            assert 0 <= left <= left + w <= wide + 1e-6
            assert 0 <= top <= top + h <= high + 1e-6
        for one, other in itertools.combinations(boxes, 2):
            assert apart(one, other)
        assert "".join(line.text for line in placed.lines) == name + label.mac
    assert refused < len(SIDES) ** 2  # half of them


def apart(one, other):
    return any(
        a[axis] + a[axis + 2] <= b[axis] + 1e-6
        for axis in (0, 1)
        for a, b in ((one, other), (other, one))
    )


@pytest.mark.parametrize(
    "text, lines",
    [
        ("abcdef", ["abcdef"]),
        ("abcdefg", ["abcdef", "g"]),
        ("abcd-efgh", ["abcd-", "efgh"]),
        ("a-bcdefgh", ["a-bcde", "fgh"]),
    ],
)
def test_a_name_is_broken_behind_a_mark_where_that_wastes_little(text, lines):
    assert labels.broken(text, 6) == lines


def test_without_its_packages_it_names_them(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "segno", None)
    monkeypatch.delitem(sys.modules, "dynreg_tools.boards.labelsheet", False)
    Report(tmp_path / "batch.csv").add(row(1, "b"))
    assert make(tmp_path, "--out", "a.pdf", code=1).err == (
        "dynreg: labels needs segno, which is not installed: pip install 'dynreg[labels]'\n"
    )
