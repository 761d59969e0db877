"""`dynreg labels`: a label for each board of a report, with name, MAC and QR code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from .. import extras, files
from ..boards import batch, labels
from ..boards.errors import BoardError
from ..boards.labels import Label, Paper
from ..boards.report import Report
from ..console import Console

DESCRIPTION = """\
A label for each good board of a report: device name, MAC, and a QR code of PRODUCTID/device-name
(no secret). As a PDF it has a page of the label's size for each, as label printers take it; as a
folder a PNG for each. Long names are broken into lines, and made smaller, to 6 points at least.
--wifi: a second one for each, with name, password and QR code of the board's access point
(services/setup), by which a telephone's camera joins it. Only its owner may read these files."""
EXAMPLE = """\
examples:
  dynreg labels batch.csv --out labels.pdf
  dynreg labels batch.csv --out labels.pdf --size 62x29
  dynreg labels batch.csv --out labels/ --dpi 203        PNGs, for a printer of 203 dots an inch
  dynreg labels batch.csv --out labels.pdf --wifi --device-info device_info.json

Needs `pip install "dynreg[labels]"`."""
_LEAST_MM, _MOST_MM = 10, 300


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", type=Path, metavar="FILE.csv", help="the batch's report")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.pdf|FOLDER",
        help="a PDF, or a folder for a PNG of each",
    )
    parser.add_argument(
        "--size",
        type=size,
        default=(50.0, 30.0),
        metavar="WxH",
        help="of a label, in mm (default 50x30)",
    )
    parser.add_argument(
        "--dpi",
        type=dots,
        default=300,
        metavar="N",
        help="the printer's dots an inch, 100 to 1200 (default 300): a QR module is whole dots",
    )
    parser.add_argument("--all", action="store_true", help="also boards that failed")
    parser.add_argument(
        "--device-info",
        type=Path,
        metavar="FILE",
        help="the product's: for --wifi, and a report of an earlier edition that does not name it",
    )
    parser.add_argument("--wifi", action="store_true", help="the access point's beside each")
    parser.add_argument("--json", action="store_true", help="one JSON object a label")


def run(options: argparse.Namespace) -> int:
    """0 when every board that should have a label got one, else 1."""
    console = Console(options.json)
    if not options.report.is_file():
        raise BoardError("argument", f"{options.report}: no such report: name a batch's FILE.csv")
    sheet = extras.load("boards.labelsheet", "labels")
    info = batch.read(options.device_info) if options.device_info else None
    if options.wifi and not info:
        raise BoardError("argument", "--wifi: name the product's --device-info")
    product = info.info.product_id if info else None
    rows = Report(options.report).rows
    made, without = labels.of_rows(rows, product, options.all)
    for sentence in without:
        console.say(sentence)
    if not made:
        raise BoardError(
            "argument", f"{options.report}: no board has a label to get: {_why(rows)}"
        )
    if options.wifi and info:
        made = [one for label in made for one in (label, labels.of_network(label, info))]
    width, height = options.size
    paper = Paper(width, height, options.dpi)
    mode = files.PRIVATE if options.wifi else 0o666
    try:
        if options.out.suffix.lower() == ".pdf":
            places = [options.out] * len(made)
            files.write(options.out, sheet.pdf(made, paper), mode)
        else:
            places = [options.out / name for name in names(made)]
            pictures = sheet.pictures(made, paper)
            options.out.mkdir(parents=True, exist_ok=True)
            for place, picture in zip(places, pictures, strict=True):
                files.write(place, picture, mode)
    except OSError as error:
        raise BoardError(
            "argument", f"{options.out}: cannot be written ({error.strerror}): name another --out"
        ) from None
    for page, (label, place) in enumerate(zip(made, places, strict=True), 1):
        row = {"product": label.product, "device": label.device, "mac": label.mac}
        of_wifi = isinstance(label, labels.WifiLabel)
        row |= {"network": label.network} if of_wifi else {"text": label.text}
        console.result(row | {"file": str(place), "page": page})
    labelled = "1 label" if len(made) == 1 else f"{len(made)} labels"
    console.say(f"{labelled} of {paper} in {options.out}")
    return 1 if without else 0


def size(text: str) -> tuple[float, float]:
    """Width and height in mm of "50x30", for argparse."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)[xX×*](\d+(?:\.\d+)?)(?:mm)?", text)
    sides = [float(number) for number in found.groups()] if found else [0]
    if not all(_LEAST_MM <= side <= _MOST_MM for side in sides):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size: width x height in mm, {_LEAST_MM} to {_MOST_MM}, such as 50x30"
        )
    return sides[0], sides[1]


def dots(text: str) -> int:
    """Dots an inch, for argparse."""
    if not (text.isdecimal() and 100 <= int(text) <= 1200):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of dots, 100 to 1200")
    return int(text)


def names(made: list[Label]) -> list[str]:
    """A file name for each, of the device's name, that each system takes and tells apart."""
    found: list[str] = []
    taken: set[str] = set()
    for label in made:
        stem = label.device.replace(":", "-")
        if isinstance(label, labels.WifiLabel):
            stem += ".wifi"
        if stem.lower() in taken:
            stem += "_" + label.mac.replace(":", "")
        number = 2
        while stem.lower() in taken:  # a board that is twice in a report
            stem, number = f"{stem}_{number}", number + 1
        taken.add(stem.lower())
        found.append(stem + ".png")
    return found


def _why(rows: list) -> str:
    return "none is good (--all takes the others too)" if rows else "it is empty"
