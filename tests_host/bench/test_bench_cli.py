"""`./dev bench` from end to end, on a short link; what it writes, and what it says without one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dynreg_tools.bench import chart, memory, report, results
from dynreg_tools.bench.clients import OBVIOUS, REFERENCE
from dynreg_tools.bench.errors import BenchError
from dynreg_tools.bench.wire import Setting
from dynreg_tools.sources import ROOT
from tests_host.bench.no_link import no_link

PEER = f"{sys.executable} {Path(__file__).with_name('peer.py')}"
QUICK = ["--runs", "1", "--rtt", "10", "--clients", "dynreg"]


def bench(*arguments, before=()):
    return subprocess.run(
        [*before, sys.executable, "-m", "dynreg_tools", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def found():
    """All figures of two clients on two links."""
    said = []
    found = results.measure([REFERENCE, OBVIOUS], [Setting(10), Setting(10, 0.05)], 1, said.append)
    assert any("smallest heap" in text for text in said)
    assert any("reads of the flash" in text for text in said)
    return found


def need_link(found):
    if "missing" in found["link"]:
        no_link(found["link"]["missing"])


@pytest.mark.ci
def test_heap_and_flash_are_measured_everywhere(found):
    for boot in (found["first_boot"], found["warm_boot"], found["obvious"]):
        assert 8 <= boot["min_heap_kib"] <= 256
        assert 1000 < boot["retained_bytes"] < boot["min_heap_kib"] * 1024
    assert [one["bits"] for one in found["memory"]] == [64]
    ours = found["memory"][0]["clients"]["dynreg"]
    assert ours["warm_boot"]["min_heap_kib"] == found["warm_boot"]["min_heap_kib"]
    assert ours["reconnects"]["min_heap_kib"] > 8
    assert found["no_32_bit"]
    reads = found["flash_reads"]
    assert 1000 < reads["warm_boot"] < reads["first_boot"]
    assert reads["worst_file"] > 10
    sizes = found["flash_mpy_bytes"]
    assert "dynreg/device.py" in sizes
    assert sum(sizes.values()) == found["flash_mpy_total"]["all"]


def test_the_link_tells_the_boots_apart(found):
    need_link(found)
    first, warm, obvious = found["first_boot"], found["warm_boot"], found["obvious"]
    assert (first["requests"], first["connections"]) == (1, 2)
    assert (warm["requests"], warm["connections"]) == (0, 1)
    assert obvious["requests"] == 1
    assert obvious["warm_boot"]["requests"] == 0
    # TCP and TLS 1.2 alone take three round trips, MQTT one more; registration as many again.
    assert first["rtt"] > 8
    assert warm["rtt"] > 4
    assert obvious["bytes"] > first["bytes"]
    assert first["tls"] in ("psk", "verified-ca")
    assert obvious["tls"] == "unverified"
    assert first["bytes"] > first["packets"] * 40
    lossy = found["settings"][1]
    assert lossy["runs"] == results.LOSSY
    assert lossy["clients"]["dynreg"]["warm_boot"]["completed"][1] == results.LOSSY


def test_the_tables_hold_the_figures(found):
    need_link(found)
    text = report.text(found)
    assert "10 ms, nothing lost; medians of 1:" in text
    assert "10 ms, 5 % of the packets lost; medians of 2:" in text
    assert f" {found['first_boot']['bytes']} |" in text
    assert f" {report.kib(found['obvious']['min_heap_kib'])} |" in text
    assert f" {found['flash_reads']['first_boot']} |" in text
    assert f"Not measured at 32 bits: {found['no_32_bit']}." in text
    for line in text.splitlines():
        assert line == line.rstrip()


def test_a_page_is_rewritten_between_its_marks_only(found, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    report.update(page, found)
    report.update(page, found)
    text = page.read_text()
    assert text.startswith("before\n\n")
    assert text.endswith("\n\nafter\n")
    assert "old" not in text
    assert text.count("Flash, bytes of .mpy") == 1
    page.write_text("no marks\n")
    with pytest.raises(BenchError, match="lacks the lines"):
        report.update(page, found)


def bars(text):
    """Width and colour of each bar, and all that the picture says."""
    picture = ElementTree.fromstring(chart.svg(text))
    space = "{http://www.w3.org/2000/svg}"
    rects = [rect for rect in picture.iter(space + "rect") if "bar" in rect.get("class", "")]
    widths = [
        (float(rect.get("width")) + float(rect.get("stroke-width", 0)), rect.get("class"))
        for rect in rects
    ]
    return widths, [found.text for found in picture.iter(space + "text")]


def test_the_picture_has_a_bar_for_each_figure(found):
    widths, texts = bars(report.text(found))
    on_the_link = 0 if "missing" in found["link"] else 2 * 2 * 2
    assert len(widths) == on_the_link + 3 + 2  # the obvious program does not reconnect
    assert all(width > 0 for width, _ in widths)
    assert report.kib(found["obvious"]["min_heap_kib"]) in texts


def test_two_interpreters_stand_side_by_side(found):
    """The second of 32 bits, with half the figures, and without the obvious program."""
    (wide,) = found["memory"]
    ours = wide["clients"]["dynreg"]
    half = {
        **{
            kind: {**ours[kind], "min_heap_kib": ours[kind]["min_heap_kib"] / 2, "tls": "narrow"}
            for kind in memory.KINDS
        },
        "growth": {"bytes": 12345, "names": 67},
    }
    narrow = {**wide, "bits": 32, "release": "1.25.0", "clients": {"dynreg": half}}
    both = {**found, "memory": [wide, narrow], "no_32_bit": None}
    text = report.text(both)
    assert "32-bit: 1.25.0" in text
    assert "Not measured at 32 bits" not in text
    (warm,) = [line for line in text.splitlines() if "| warm, 3 reconnects |" in line]
    cells = [cell.strip() for cell in warm.strip("|").split("|")]
    assert cells[3] == report.kib(ours["reconnects"]["min_heap_kib"])
    assert cells[5:7] == ["narrow", report.kib(ours["reconnects"]["min_heap_kib"] / 2)]
    (obvious, _) = [line for line in text.splitlines() if "program" in line and "–  " in line]
    assert obvious.count("–") == 3
    (grown,) = [line for line in text.splitlines() if "12345" in line]
    assert grown.strip("| ").split("|")[-1].strip() == "67"

    widths, texts = bars(text)
    assert "64-bit MicroPython" in texts
    assert "32-bit MicroPython" in texts
    heaps = widths[-10:]  # of a boot the one beside the other
    for (whole, colour), (half_of_it, same) in zip(heaps[:6:2], heaps[1:6:2], strict=True):
        assert half_of_it == pytest.approx(whole / 2, abs=1)  # figures are rounded up
        assert colour == same
    assert [width for width, _ in heaps[7::2]] == [0, 2]  # an outline around nothing


def test_the_page_has_what_its_picture_is_drawn_from():
    tables = chart.tables(ROOT / "docs" / "performance.md")
    widths, texts = bars(tables)
    assert len(widths) == 5 * 2 * 2 + 2 * (4 * 3 + 2)
    assert "the obvious program" in texts


@pytest.mark.parametrize("value, shown", [(57.25, "57.3"), (57.0, "57.0"), (57.75, "57.8")])
def test_a_heap_is_rounded_up_to_what_is_enough(value, shown):
    assert report.kib(value) == shown


@pytest.mark.ci
def test_as_json_with_a_peer(tmp_path):
    result = bench(
        *QUICK, "--no-heap", "--json", "--chart", str(tmp_path / "c.svg"), "--peer", PEER
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    need_link(found)
    peer = found["clients"]["peer"]
    assert peer["first_boot"]["tls"] == "certificate"
    assert peer["first_boot"]["requests"] == 1
    assert peer["warm_boot"]["requests"] == 0
    assert peer["warm_boot"]["rtt"] > 4
    assert peer["first_boot"]["rtt"] > 4
    assert found["warm_boot"]["min_heap_kib"] is None  # --no-heap
    assert (tmp_path / "c.svg").exists()


def test_a_peer_that_fails_is_one_sentence_and_exit_1():
    result = bench(*QUICK, "--peer", PEER + " --fail")
    if "no round trips" in result.stderr:
        no_link(result.stderr)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "dynreg: peer does not get to a set clock: peer: as asked" in result.stderr


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv takes root's rights away")
@pytest.mark.slow  # the measurements are those of the other tests
def test_without_a_link_it_says_so_and_measures_the_rest():
    result = bench(*QUICK, "--json", before=["setpriv", "--bounding-set=-all", "--inh-caps=-all"])
    assert result.returncode == 0, result.stderr
    assert "no round trips, bytes and packets: a network namespace is not allowed" in result.stderr
    found = json.loads(result.stdout)
    assert "root" in found["link"]["missing"]
    assert found["warm_boot"]["rtt"] is None
    assert found["warm_boot"]["min_heap_kib"] > 8


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--rtt", "0"], "1 to 5000"),
        (["--loss", "80"], "0 to 50"),
        (["--clients", "azure"], "there is no azure"),
        (["--runs", "0"], "1 or more"),
    ],
)
def test_a_bad_option_is_a_usage_error(arguments, word):
    result = bench(*arguments)
    assert result.returncode == 2
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_no_interpreter_is_one_sentence_and_exit_1():
    result = bench(*QUICK, "--interpreter", "/bin/true")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "dynreg: /bin/true is no MicroPython that runs here" in result.stderr
