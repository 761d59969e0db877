"""Eight boards in one command; three of them in trouble; the same command again."""

import csv
import hashlib
import json

import pytest

from dynreg_tools.virtualboard import Board
from tests_host.fleet.conftest import set_access_points

COMMAND = ("provision", "--all", "--virtual", "boards", "--jobs", "4", "--report", "batch.csv")


def rows_of(bench) -> dict[str, dict]:
    """The report's rows by MAC; no MAC is there twice."""
    with (bench.folder / "batch.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_mac = {row["mac"]: row for row in rows}
    assert len(by_mac) == len(rows)
    return by_mac


def check_good(bench, rows, boards):
    """The rows say what the hub says and what the boards hold."""
    known = {device["name"]: device for device in bench.hub.devices()}
    for board in boards:
        row = rows[board.mac]
        assert row["outcome"] == "good", row
        assert row["error"] == "", row
        assert row["device"] == "esp32-" + board.unique_id.hex()
        assert known[row["device"]]["activated"]
        secret = known[row["device"]]["psk"]
        assert row["fingerprint"] == hashlib.sha256(secret.encode()).hexdigest()[:8]


@pytest.mark.ci
def test_eight_boards_at_once(bench):
    boards = [bench.board(f"b{n}") for n in range(8)]
    for board in boards:
        bench.on(board)
    result = bench.dynreg(*COMMAND, code=0)
    rows = rows_of(bench)
    assert len(rows) == 8
    check_good(bench, rows, boards)
    assert {row["device"] for row in rows.values()} == {d["name"] for d in bench.hub.devices()}
    assert result.out.splitlines()[-1] == "8 of 8 good, see batch.csv"
    lines = (bench.folder / "batch.jsonl").read_text().splitlines()
    assert {json.loads(line)["mac"] for line in lines} == set(rows)
    assert sorted(bench.events("registered")) == sorted(row["device"] for row in rows.values())


@pytest.mark.ci
def test_three_in_trouble_hold_up_no_other_and_are_all_that_the_next_run_touches(bench):
    boards = [bench.board(f"b{n}") for n in range(8)]
    no_wifi, refused, pulled, good = boards[1], boards[3], boards[5], boards[::2] + boards[7:]
    no_wifi = set_access_points(no_wifi, {"another": "pw"})
    bench.hub.set_product(register_type=1)
    for board in boards:
        if board is not refused:
            bench.hub.add_device("esp32-" + board.unique_id.hex())
    power = {}
    for board in [no_wifi, refused, *good]:
        power[board.mac] = bench.on(board)
    bench.on(pulled, power_cut=60, cable=True)
    result = bench.dynreg(*COMMAND, "--timeout", "30")
    assert result.code == 1
    assert result.out.splitlines()[-1] == "5 of 8 good, see batch.csv"
    rows = rows_of(bench)
    check_good(bench, rows, good)
    errors = {mac: row["error"] for mac, row in rows.items() if row["outcome"] != "good"}
    assert errors == {
        no_wifi.mac: "network.wifi",
        refused.mac: "register.refused",
        pulled.mac: "board.lost",
    }
    assert "Wi-Fi" in rows[no_wifi.mac]["message"]
    assert "Pre create mode" in rows[refused.mac]["message"]
    assert "plug it in" in rows[pulled.mac]["message"]
    assert sorted(bench.events("registered")) == sorted(rows[b.mac]["device"] for b in good)

    # what the person does: another place for the first, a name in the console, the cable back
    power[no_wifi.mac].__exit__()
    back = bench.on(set_access_points(no_wifi, {"bench": "a wifi password"}), wait=False)
    back.wait_for("register: stored", 30)  # by itself, so that nothing interrupts it there
    bench.hub.add_device("esp32-" + refused.unique_id.hex())
    bench.on(Board(pulled.folder), wait=False)
    before = {mac: row for mac, row in rows.items() if row["outcome"] == "good"}
    requests = len(bench.hub.requests)
    result = bench.dynreg(*COMMAND, "--timeout", "30", code=0)
    rows = rows_of(bench)
    check_good(bench, rows, boards)
    assert {mac: rows[mac] for mac in before} == before
    assert result.out.count("good in batch.csv") == 5
    assert len(bench.hub.requests) == requests + 2
    assert {row["device"] for row in rows.values()} == {d["name"] for d in bench.hub.devices()}
