"""The picture of the page in README.md: a hub with devices that register, log in and publish.

    PYTHONPATH=tools .venv/bin/python -m tests_host.browser.picture [FILE [light|dark]]

writes docs/hub.png, or FILE; Chromium draws it.
"""

import json
import sys
from contextlib import ExitStack

from PIL import Image
from playwright.sync_api import sync_playwright

from dynreg_tools.hub import Hub
from dynreg_tools.sources import ROOT
from tests_host.browser.conftest import PRODUCT_ID, chromium_path, launched, opened_row
from tests_host.localhub.hubclient import credentials, new_secret, post, register
from tests_host.localhub.hubpaho import Paho

BOARDS = [f"esp32-246f286d5{end}" for end in ("a9e", "aa1", "b02", "c77")]
VALUES = {"alive": 1, "temperature": 21.5, "wifi": {"rssi": -61, "channel": 6}}
DEFAULTS = (str(ROOT / "docs" / "hub.png"), "light")
COLOURS = 128  # of its PNG, a third of the bytes
SIZE = {"width": 720, "height": 760}  # wide enough for the table; twice as sharp, for phones


def main() -> None:
    """Draw it."""
    file, scheme = (*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :])
    options = {"product_id": PRODUCT_ID, "product_secret": new_secret(), "cert_key": "ec"}
    with ExitStack() as stack:
        hub = stack.enter_context(Hub(**options, devices=("meter-0001", "meter-0002")))
        browser = launched(stack.enter_context(sync_playwright()), chromium_path())
        for i, name in enumerate(BOARDS):
            board = Paho(hub, credentials(hub, name, register(hub, name)), tls=bool(i))
            stack.enter_context(board)
            board.client.subscribe(f"{PRODUCT_ID}/{name}/control", 1)
            board.wait(board.grants)
            board.client.publish(f"{PRODUCT_ID}/{name}/event", json.dumps(VALUES), qos=1)
            hub.wait_for("publish", count=i + 1)
        post(hub, "esp32-246f286d5d10", secret=new_secret())
        board.client.publish(f"{PRODUCT_ID}/{BOARDS[-1]}/event", bytes(range(24)), qos=1)
        hub.wait_for("publish", count=len(BOARDS) + 1)
        hub.fault("mqtt-connack:5*3")
        page = browser.new_page(viewport=SIZE, color_scheme=scheme, device_scale_factor=2)
        page.goto(hub.control)
        opened_row(page, BOARDS[0]).get_by_role("button", name="Send a message").click()
        page.keyboard.type('{"led":1,"level":40}')
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_text("one receiver").wait_for()
        page.get_by_text("6 messages").wait_for()
        page.locator("#event-rows > li").filter(has_text="alive").locator("summary").first.click()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.screenshot(path=file)
        Image.open(file).quantize(COLOURS).save(file, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
