"""The site in Chromium: nothing is wider than the screen, nothing comes from elsewhere."""

import subprocess
import sys
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest

from tests_host.browser.conftest import WAIT_MS

expect = pytest.importorskip("playwright.sync_api").expect
site = pytest.importorskip("dynreg_tools.build.site", reason="the extra docs is not installed")

HEIGHT = 800
FITS = "document.scrollingElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def address():
    """Where the site, built anew, is served."""
    subprocess.run([sys.executable, "-m", "dynreg_tools.build.site"], check=True)
    handler = partial(site.Quiet, directory=str(site.SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def opened(chromium, address):
    """Opens a tab; all that its page asks for is the site's."""
    contexts, elsewhere = [], []

    def ask(request):
        if not request.url.startswith((f"{address}/", "data:", "blob:")):
            elsewhere.append(request.url)

    def answered(reply):
        if reply.status >= 400:
            elsewhere.append(f"{reply.status} {reply.url}")

    def new():
        context = chromium.new_context(viewport={"width": 1280, "height": HEIGHT})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("request", ask)
        page.on("response", answered)
        page.on("pageerror", lambda error: elsewhere.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert elsewhere == []


def names():
    files = sorted(site.SITE.rglob("*.html"))
    return [path.relative_to(site.SITE).as_posix() for path in files if path.name != "404.html"]


def test_no_page_is_wider_than_the_screen(opened, address):
    from playwright.sync_api import TimeoutError

    page, wide = opened(), []
    for name in names():
        page.goto(f"{address}/{name}")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            try:  # a picture may still be on its way
                page.wait_for_function(FITS, timeout=3000)
            except TimeoutError:
                wide.append((name, width))
    assert wide == []


def test_pictures_are_shown_and_have_words(opened, address):
    page, missing = opened(), []
    for name in names():
        if "<img" not in (site.SITE / name).read_text("utf-8"):
            continue
        page.goto(f"{address}/{name}")
        for picture in page.locator("article img").all():
            picture.scroll_into_view_if_needed()
            if not picture.evaluate("image => image.complete && image.naturalWidth"):
                missing.append((name, picture.get_attribute("src")))
            if not picture.get_attribute("alt"):
                missing.append((name, "no words"))
    assert missing == []


def test_the_menu_of_languages_leads_to_the_same_page(opened, address):
    page = opened()
    page.goto(f"{address}/errors.html")
    page.get_by_role("button", name="Select language").hover()
    page.get_by_role("link", name="中文").click()
    page.wait_for_url(f"{address}/zh-CN/errors.html")
    assert page.locator("html").get_attribute("lang") == "zh"


@pytest.mark.parametrize(
    ("start", "words", "found"),
    [("hub.html", "power cut", "credential"), ("zh-CN/errors.html", "错误码", "错误码")],
)
def test_the_search_finds(opened, address, start, words, found):
    page = opened()
    page.goto(f"{address}/{start}")
    box = page.locator("input.md-search__input")
    box.click()
    expect(box).to_be_focused()
    box.press_sequentially(words)
    box.press("End")  # the page looks when a key goes up: Chinese comes without keys here
    page.locator(".md-search-result__item").filter(has_text=found).first.wait_for()
