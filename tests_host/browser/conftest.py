"""The hub's page in Chromium: a real hub, real MQTT clients, and what a person does.

Without Playwright or Chromium these tests are skipped: `apt-get install chromium`.
"""

import base64
import os
import re
import shutil
from contextlib import suppress
from http import HTTPStatus

import pytest

from dynreg_tools.sources import CACHE
from tests_host.localhub.hubclient import PRODUCT_ID, credentials, new_secret, register
from tests_host.localhub.hubpaho import Paho
from tests_host.secret_search import forms

WAIT_MS = 30_000  # on a machine that has much else to do
SCREENSHOTS = CACHE / "screenshots"
CONTROL = "{own}/control"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path():
    """Where Chromium is, None where it is not."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launched(driver, path):
    """A running Chromium; its sandbox does not run as root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if root else [])


@pytest.fixture(scope="module")
def chromium():
    """A browser for the tests of a file: Playwright's event loop is in the way of any other."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = chromium_path()
    if path is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    playwright.expect.set_options(timeout=WAIT_MS)
    with playwright.sync_playwright() as driver:
        browser = launched(driver, path)
        yield browser
        browser.close()


@pytest.fixture
def hub_options():
    """The same product for each test."""
    return {"product_id": PRODUCT_ID, "product_secret": new_secret()}


@pytest.fixture
def open_page(chromium, hub):
    """Opens the hub's page as a browser with these settings; nothing may go wrong in it.

    At the end all that reached it is searched for secrets.
    """
    contexts, wrong, replies = [], [], []

    def said(line):
        if line.type == "error" and "Failed to load resource" not in line.text:
            wrong.append(line.text)

    def answered(reply):
        replies.append(reply)
        if reply.request.method == "GET" and reply.status >= HTTPStatus.BAD_REQUEST:
            wrong.append(f"{reply.status} {reply.url}")

    def opened(address=None, **settings):
        context = chromium.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", said)
        page.on("response", answered)
        page.goto(address or hub.control)
        page.locator("#connection[data-state=live]").wait_for()
        return page

    yield opened
    texts = [context.pages[0].content() for context in contexts]
    for reply in replies:
        if "/events" not in reply.url:
            with suppress(Exception):  # what a page that is gone had asked for
                texts.append(reply.text())
    for context in contexts:
        context.close()
    assert wrong == []
    secrets = [hub.product_secret, *(d["psk"] for d in hub.devices() if d["psk"])]
    for secret in secrets:
        for form, needle in forms(secret.encode()):
            assert not any(needle in text for text in texts), form
    for secret in secrets[1:]:
        assert not any(base64.b64decode(secret).hex() in text for text in texts)


@pytest.fixture
def page(open_page):
    """The page at 1280 pixels."""
    return open_page(viewport={"width": 1280, "height": 900})


@pytest.fixture
def device(hub):
    """Registers a device and logs it in: device("dev-01", CONTROL) is a Paho; all are ended."""
    clients = []

    def logged_in(name="dev-01", *subscribed, tls=False):
        client = Paho(hub, credentials(hub, name, register(hub, name)), tls).__enter__()
        clients.append(client)
        for count, topic in enumerate(subscribed, 1):
            client.client.subscribe(topic.format(own=f"{PRODUCT_ID}/{name}"), 1)
            client.wait(client.grants, count)
        return client

    yield logged_in
    for client in clients:
        client.__exit__()


def row(page, name):
    """A device's row."""
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


def cells(page, name):
    """What a device's row shows, without when it was last seen."""
    found = row(page, name).get_by_role("cell").all_inner_texts()
    return [text for i, text in enumerate(found) if i != 4]


def events(page, word):
    """The events that show a word."""
    return page.locator("#event-rows > li").filter(has_text=re.compile(re.escape(word)))


def opened_row(page, name):
    """Opens a device's row; what can be done with it."""
    page.get_by_role("button", name=name, exact=True).click()
    return page.get_by_role("group", name=f"Device {name}")


def screenshot(page, name):
    """Keeps how the page looks, for a person."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
