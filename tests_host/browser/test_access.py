"""The page for everybody: by keyboard, by screen reader, at any width, in the dark."""

import json
import re
from pathlib import Path

import pytest

from tests_host.browser.conftest import CONTROL, events, opened_row, row, screenshot
from tests_host.localhub.hubclient import PRODUCT_ID, post

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

REGIONS = ["Devices", "Events", "Updates over the air", "Activity", "Send a message"]
REGIONS += ["State of a device", "Product", "Faults"]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8").split("\n", 1)[1]
LONG = "x" * 48  # the longest name
# What has the focus, and how one sees that.
FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  return [e.id || e.textContent, style.outlineStyle, parseFloat(style.outlineWidth)];
}"""


@pytest.fixture
def busy(hub, device):
    """A hub with something in every part of the page."""
    first = device("dev-01", CONTROL)
    first.client.publish(f"{PRODUCT_ID}/dev-01/event", '{"alive":1}')
    device("dev-02", tls=True).client.publish(f"{PRODUCT_ID}/dev-02/event", b"\0\1")
    post(hub, "dev-03", secret="x" * 24)
    hub.add_device("dev-04")
    hub.add_device(LONG)
    hub.fault("mqtt-connack:5*3")
    hub.services.desire("dev-01", {"led": 1, "name": LONG})
    hub.services.configure("dev-01", {"period": 60})
    for name in ("dev-01", LONG):
        hub.services.update(name, "1.1", b"x")
    progress = {"state": "fail", "percent": 40, "result_code": -4, "result_msg": LONG}
    report = {"version": "1.1", "progress": progress}
    told = json.dumps({"type": "report_progress", "report": report})
    first.client.publish(f"$ota/report/{PRODUCT_ID}/dev-01", told)
    hub.wait_for("update", 30)
    hub.wait_for("publish", 30, count=2)


def fill(page):
    expect(page.locator("#device-rows .open")).to_have_text(["dev-01", "dev-02", "dev-04", LONG])
    opened_row(page, "dev-01")
    page.get_by_label("Device", exact=True).last.fill("dev-01")
    page.locator("#state-parts summary").nth(1).click()
    page.locator("#state-parts summary").nth(2).click()
    expect(page.locator("#config-text")).to_have_value(re.compile("period"))
    expect(page.locator("#update-rows .bad")).to_be_visible()
    events(page, "alive").locator("summary").first.click()
    page.locator("#fault-layers summary").filter(has_text="psk").click()
    expect(page.locator("#fault-count")).to_have_text("On: mqtt-connack")


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_read_with_ease(open_page, busy, width, scheme):
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    fill(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 80
    assert found["low"] == []
    screenshot(page, f"{scheme}-{width}")


def test_all_is_reached_and_left_by_the_keyboard(page, busy):
    fill(page)
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(300):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate(FOCUS)
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.append(name)
        assert style != "none", name
        assert width >= 1, name
    else:
        raise AssertionError("the focus does not come out again")
    places = ["device-search", "dev-01", "Delete", "event-pause", "event-rows", "update-file"]
    places += ["send-device", "send-payload", "state-device", "shadow-desired", "action-params"]
    places += ["config-text", "product-limit", "create-names", "fault-search", "fault-clear"]
    assert [name for name in seen if name in places] == places


def test_the_events_can_be_skipped(page, busy):
    page.get_by_role("link", name="Skip the events").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Updates over the air")).to_be_focused()


def test_landmarks_and_names_are_there(page, busy):
    fill(page)
    for role in ("banner", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    for name in REGIONS:
        expect(page.get_by_role("region", name=name)).to_be_visible()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("table", name="Devices of the product")).to_be_visible()
    unnamed = """() => [...document.querySelectorAll("input, select, textarea")]
      .filter((e) => !e.labels.length && !e.getAttribute("aria-label")).map((e) => e.outerHTML)"""
    assert page.evaluate(unnamed) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_a_device_is_read_as_a_row_at_any_width(open_page, busy, width):
    page = open_page(viewport={"width": width, "height": 900})
    expect(row(page, "dev-04")).to_match_aria_snapshot(
        """
        - row:
          - rowheader "dev-04":
            - button "dev-04"
          - cell "no"
          - cell
          - cell "no"
          - cell "no"
          - cell
          - cell
        """
    )


def test_events_are_not_read_out_one_by_one(page, busy):
    live = page.locator("[aria-live], [role=status], [role=alert], [role=log]")
    assert page.locator("#events").locator(live).count() == 0
    expect(page.locator("#connection")).to_have_role("status")


def test_nothing_moves_where_that_is_unwanted(open_page, busy):
    page = open_page(reduced_motion="reduce")
    moving = """() => {
      const parts = [null, "::before", "::after"];
      const all = [...document.querySelectorAll("*")];
      const styles = all.flatMap((e) => parts.map((part) => getComputedStyle(e, part)));
      const moves = (s) => s.animationName !== "none" || parseFloat(s.transitionDuration) > 0;
      return styles.filter(moves).length;
    }"""
    assert page.evaluate(moving) == 0
