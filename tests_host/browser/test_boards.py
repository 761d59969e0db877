"""Virtual boards that take an update while the page is watched; BOARDS=50 is a fleet of fifty."""

import json
import os
import shutil
from contextlib import ExitStack

import pytest

from dynreg_tools.testing.board import CA, VirtualBoard
from dynreg_tools.virtualboard import Board
from tests_host.browser.conftest import screenshot
from tests_host.ota.conftest import ota_image as ota_image
from tests_host.ota.conftest import program

pytestmark = [pytest.mark.process, pytest.mark.slow]
expect = pytest.importorskip("playwright.sync_api").expect

BOARDS = int(os.environ.get("BOARDS", "4"))
DONE_MS = 60_000 + 20_000 * BOARDS


def made(image, folder, hub, number):
    """A board with version 1.0 of its program, whose device the hub knows."""
    place = folder / f"board-{number}"
    shutil.copytree(image, place)
    settings = place / "board.json"
    values = json.loads(settings.read_text("utf-8"))
    values |= {"mac": f"24:6f:28:00:00:{number:02x}", "ntp": list(hub.ntp)}
    settings.write_text(json.dumps(values), "utf-8")
    board = VirtualBoard(Board(place), hub)
    board.board.write_file(CA, hub.ca_der.read_bytes())
    hub.add_device(board.name)
    (secret,) = [one["psk"] for one in hub.devices() if one["name"] == board.name]
    board.configure(
        key_deviceinfo={"deviceSecret": secret},
        endpoint={"gateway": hub.http, "mqtt": hub.mqtt},
    )
    return board


def test_boards_are_watched_taking_a_bundle(open_page, hub, ota_image, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 900})
    rows = page.locator("#update-rows tr")
    with ExitStack() as stack:
        for number in range(BOARDS):
            board = stack.enter_context(made(ota_image, tmp_path, hub, number))
            board.start()
        expect(rows).to_have_count(min(BOARDS, 50), timeout=DONE_MS)
        bundle = program(tmp_path, "1.1", pages=20)
        page.get_by_label("Bundle or image").set_input_files(
            {"name": "app.bundle", "mimeType": "application/octet-stream", "buffer": bundle.data}
        )
        page.locator("#update-scheme").select_option("http")
        page.get_by_role("button", name="Offer").click()
        page.get_by_role("dialog").get_by_role("button", name="Update").click()
        status = page.locator("#update-status")
        expect(status).to_contain_text(f"of {BOARDS} heard of it now", timeout=DONE_MS)
        expect(rows.get_by_text("%").first).to_be_visible(timeout=DONE_MS)
        screenshot(page, "boards-downloading-1280")
        count = page.locator("#update-count")
        expect(count).to_have_text(f"{BOARDS} devices: {BOARDS} done", timeout=DONE_MS)
        expect(rows.filter(has_text="1.1")).to_have_count(BOARDS, timeout=DONE_MS)
        screenshot(page, "boards-done-1280")
        page.set_viewport_size({"width": 360, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        screenshot(page, "boards-done-360")
    assert {row["reported"] for row in hub.services.updates().values()} == {"1.1"}
