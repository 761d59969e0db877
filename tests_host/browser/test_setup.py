"""The page of services/setup in Chromium, without JavaScript, as phones show it."""

import pytest

from dynreg_tools.boards import content
from dynreg_tools.virtualboard import Board
from tests_host.browser.conftest import WAIT_MS, screenshot
from tests_host.browser.test_access import CONTRAST
from tests_host.power.conftest import config

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

HOSTILE = '<b>"it\'s"</b> & Söhne 家'
LONG = "W" * 32
WIFI = {
    "home": "its password",
    "cafe": None,
    HOSTILE: "its password",
    LONG: "its password",
    "\U0001f600\U0001f600": "its password",
}
MAIN = """
from dynreg.services import setup

print("setup:", setup.wifi())
"""
WORDS = {
    "en-US": ("Password", "Join", "is joined and stored", "Is the password right?"),
    "zh-CN": ("密码", "连接", "并保存", "密码是否正确？"),
}


@pytest.fixture
def running(tmp_path):
    """A board whose access point is open."""
    board = Board.new(tmp_path / "board", wifi=WIFI)
    files = content.compiled_library(["setup"]) | {"/main.py": MAIN}
    board.write_files(files | {"/device_info.json": config(setup={"password": "label word"})})
    with board.power_on() as running:
        running.wait_for("setup: access point")
        yield running


@pytest.fixture
def open_setup(chromium, running):
    """Opens the page in a browser of this language and width, in which nothing may go wrong."""
    contexts, wrong = [], []

    def opened(language="en-US", width=360, script=False, **settings):
        size = {"width": width, "height": 740}
        context = chromium.new_context(
            locale=language, viewport=size, java_script_enabled=script, **settings
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: line.type == "error" and wrong.append(line.text))
        page.goto(running.access_point["http"])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in wrong if "favicon" not in text and "404" not in text] == []


def fits(page):
    """No line is wider than the page, and what is touched is high enough for a thumb."""
    width = page.viewport_size["width"]
    for box in (one.bounding_box() for one in page.locator("label, button, [name=p]").all()):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] >= 44, box


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_network_is_chosen_on_a_phone(open_setup, running, language):
    page = open_setup(language)
    password, join, joined, _ = WORDS[language]
    fits(page)
    screenshot(page, f"setup-{language}-360")
    page.get_by_label("home").check()
    page.get_by_label(password, exact=True).fill("its password")
    page.get_by_role("button", name=join, exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(joined)
    fits(page)
    screenshot(page, f"setup-{language}-360-joined")
    running.wait_for("setup: True")


def test_each_name_is_shown_as_it_is(open_setup):
    page = open_setup()
    assert sorted(page.locator("label bdi").all_inner_texts()) == sorted(WIFI)
    assert page.locator("b").count() == 0
    expect(page.get_by_text("open ")).to_have_count(1)


def test_a_name_that_is_typed_and_a_mistake(open_setup):
    page = open_setup("zh-CN")
    page.get_by_role("radio").last.check()
    page.locator("[name=o]").fill(HOSTILE)
    page.locator("[name=p]").fill("short")
    page.get_by_role("button", name="连接", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("8 到 63")
    expect(page.locator("[name=p]")).to_have_value("")
    screenshot(page, "setup-zh-CN-360-mistake")
    page.get_by_role("button", name="重新搜索").click()
    expect(page.get_by_role("status")).to_have_count(0)


def test_the_password_is_hidden_until_it_is_to_be_seen(open_setup):
    page = open_setup(script=True)
    field = page.locator("[name=p]")
    style = "getComputedStyle(document.querySelector('[name=p]')).webkitTextSecurity"
    field.fill("its password")
    assert page.evaluate(style) == "disc"
    page.get_by_label("Show the password").check()
    assert page.evaluate(style) == "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_any_width_in_the_dark_with_contrast(open_setup, scheme):
    for width in (360, 1280):
        page = open_setup(width=width, script=True, color_scheme=scheme)
        page.get_by_role("button", name="Join").click()
        fits(page)
        screenshot(page, f"setup-{width}-{scheme}")
        found = page.evaluate(CONTRAST)
        assert found["low"] == []
        assert found["seen"] > 10
