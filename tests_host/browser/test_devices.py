"""Devices in the page: they come, go on and off line, are found, kicked, disabled and deleted."""

import pytest

from tests_host.browser.conftest import CONTROL, cells, events, opened_row, row
from tests_host.localhub.hubclient import PRODUCT_ID, credentials, post, register
from tests_host.localhub.hubpaho import Paho

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

ONLINE, TLS, REGISTERED, ACTIVATED = range(4)


def shows(page, name, *values):
    """Waits until a device's row has these values in its first columns."""
    found = row(page, name).get_by_role("cell")
    for i, value in enumerate(values):
        expect(found.nth(i)).to_have_text(value)


def test_a_device_comes_by_itself_and_goes_on_and_off_line(page, hub, device):
    expect(page.get_by_text("No device yet")).to_be_visible()
    psk = register(hub, "dev-01")
    shows(page, "dev-01", "no", "", "yes", "no")
    with Paho(hub, credentials(hub, "dev-01", psk), tls=True):
        shows(page, "dev-01", "yes", "certificate", "yes", "yes")
        expect(page.locator("#device-count")).to_have_text("1 in all, 1 online")
    shows(page, "dev-01", "no")


CERTIFICATES = {"auth_mode": "cert", "device_key": "ec"}


@pytest.mark.parametrize("hub", [CERTIFICATES], indirect=True)
def test_a_certificate_is_known_by_its_fingerprint(open_page, hub):
    post(hub, "dev-01")
    page = open_page()
    (fingerprint,) = (one["fingerprint"] for one in hub.devices())
    shows(page, "dev-01", "no", "", "yes", "no")
    assert cells(page, "dev-01")[-1] == f"{fingerprint[:16]}…"
    opened_row(page, "dev-01")
    expect(page.get_by_role("definition").filter(has_text=fingerprint)).to_be_visible()


@pytest.mark.parametrize(
    "hub", [{"devices": [f"meter-{i:03}" for i in range(120)]}], indirect=True
)
def test_many_are_shown_by_pages_and_found(page, hub, device):
    names = page.locator("#device-rows .open")
    expect(names).to_have_count(50)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(names).to_have_count(20)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_label("Find").first.fill("meter-11")
    expect(names).to_have_count(10)
    expect(names.first).to_have_text("meter-110")
    page.get_by_label("Find").first.fill("")
    device("meter-007")
    page.locator("#device-state").select_option("online")
    expect(names).to_have_text(["meter-007"])
    page.locator("#device-state").select_option("disabled")
    expect(page.get_by_text("No device is like this.")).to_be_visible()


def test_kicking_is_asked_about_first(page, hub, device):
    device()
    opened_row(page, "dev-01").get_by_role("button", name="Kick").click()
    dialog = page.get_by_role("dialog", name="Kick dev-01?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert not [one for one in hub.events if one["event"] == "disconnect"]
    opened_row(page, "dev-01")
    page.get_by_role("button", name="dev-01", exact=True).press("Enter")
    page.get_by_role("button", name="Kick").click()
    dialog.get_by_role("button", name="Kick").click()
    hub.wait_for("disconnect", 30, reason="kicked")
    expect(page.locator("#device-status")).to_have_text("dev-01 was disconnected.")


def test_a_disabled_device_is_out_until_it_is_enabled(page, hub):
    login = credentials(hub, "dev-01", register(hub, "dev-01"))
    with Paho(hub, login):
        opened_row(page, "dev-01").get_by_role("button", name="Disable").click()
        page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        hub.wait_for("disconnect", 30)
    button = page.get_by_role("button", name="dev-01 (disabled)")
    expect(button).to_be_visible()
    refused = Paho(hub, login)
    assert refused.wait(refused.codes) == "Not authorized"
    refused.__exit__()
    expect(events(page, "login refused").first).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="dev-01", exact=True)).to_be_visible()
    with Paho(hub, login):
        shows(page, "dev-01", "yes")


def test_a_deleted_device_is_gone(page, hub, device):
    device()
    opened_row(page, "dev-01").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No device yet")).to_be_visible()
    expect(page.locator("#device-status")).to_have_text("dev-01 is deleted.")
    assert hub.devices() == []


def test_subscriptions_are_shown(page, hub, device):
    device("dev-01", CONTROL)
    opened_row(page, "dev-01")
    expect(
        page.get_by_role("definition").filter(has_text=f"{PRODUCT_ID}/dev-01/control")
    ).to_be_visible()
