"""The product's switches and the faults in the page."""

import pytest

from tests_host.browser.conftest import events
from tests_host.localhub.hubclient import post, register

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect


def product(page):
    return page.get_by_role("region", name="Product")


def test_registration_is_switched_off_and_limited(page, hub):
    expect(product(page).get_by_role("radio", name="any device")).to_be_checked()
    product(page).get_by_role("radio", name="off", exact=True).check()
    product(page).get_by_role("button", name="Apply").click()
    expect(page.locator("#product-status")).to_have_text("Applied.")
    assert "Error" in post(hub)
    expect(events(page, "registration off, limit 1000")).to_be_visible()
    product(page).get_by_role("radio", name="any device").check()
    product(page).get_by_label("Limit").fill("1")
    with page.expect_response(lambda reply: reply.request.method != "GET"):
        product(page).get_by_role("button", name="Apply").click()
    register(hub, "dev-01")
    assert "Error" in post(hub, "dev-02")


def test_devices_are_pre_created(page, hub):
    product(page).get_by_role("radio", name="pre-created devices").check()
    product(page).get_by_label("Limit").press("Enter")
    expect(page.locator("#product-status")).to_have_text("Applied.")
    names = page.get_by_label("Pre-create devices")
    names.fill("dev-01, dev-02\ndev-03")
    product(page).get_by_role("button", name="Create").click()
    expect(page.locator("#create-status")).to_have_text("Created: dev-01, dev-02, dev-03.")
    expect(names).to_have_value("")
    expect(page.locator("#device-rows .open")).to_have_text(["dev-01", "dev-02", "dev-03"])
    register(hub, "dev-02")
    assert "Error" in post(hub, "dev-04")
    names.fill("dev-03 dev-05 bad!")
    product(page).get_by_role("button", name="Create").click()
    expect(page.locator("#create-status")).to_have_class("status bad")
    expect(names).to_have_value("dev-03 dev-05 bad!")
    assert [one["name"] for one in hub.devices()] == ["dev-01", "dev-02", "dev-03"]


def fault(page, name):
    page.get_by_role("region", name="Faults").get_by_label("Find").fill(name)
    return page.get_by_role("group", name=name, exact=True)


def test_a_fault_is_found_switched_on_and_off(page, hub):
    found = fault(page, "http-page")
    found.get_by_label("HTTP status").fill("503")
    found.get_by_label("times", exact=True).fill("2")
    switch = found.get_by_role("switch", name="http-page")
    switch.press("Space")
    expect(switch).to_be_checked()
    assert hub.faults == [{"name": "http-page", "argument": 503, "service": None, "left": 2}]
    found.get_by_label("HTTP status").fill("404")
    page.keyboard.press("Enter")
    expect(found.get_by_text("on, 404, 2 more times")).to_be_visible()
    assert [one["argument"] for one in hub.faults] == [404]
    expect(page.locator("#fault-count")).to_have_text("On: http-page")
    switch.click()
    expect(switch).not_to_be_checked()
    assert hub.faults == []


def test_a_fault_that_is_used_up_is_off_again(page, hub):
    found = fault(page, "reply-refused")
    found.get_by_label("times", exact=True).fill("1")
    found.get_by_role("switch").click()
    expect(found.get_by_role("switch")).to_be_checked()
    assert "Error" in post(hub)
    expect(found.get_by_role("switch")).not_to_be_checked()


def test_a_fault_is_aimed_and_all_are_switched_off(page, hub):
    found = fault(page, "tls-expired")
    found.get_by_label("where").select_option("broker")
    found.get_by_role("switch").click()
    expect(found.get_by_text("on, at the broker")).to_be_visible()
    fault(page, "mqtt-suback-missing").get_by_role("switch").click()
    expect(page.locator("#fault-count")).to_have_text("On: tls-expired, mqtt-suback-missing")
    assert [one["service"] for one in hub.faults] == ["broker", None]
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#fault-count")).to_contain_text("no fault is on")
    assert hub.faults == []


def test_what_is_no_argument_is_told_beside_the_switch(page, hub):
    found = fault(page, "http-page")
    found.get_by_label("HTTP status").fill("many")
    found.get_by_role("switch").click()
    expect(found.get_by_role("status")).to_contain_text("the argument is")
    expect(found.get_by_role("switch")).not_to_be_checked()
    assert hub.faults == []


def test_the_search_hides_layers_without_a_match(page, hub):
    fault(page, "captive portal")
    shown = page.locator("#fault-layers > details:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("dns-portal")


@pytest.mark.parametrize("hub", [{"control_host": "0.0.0.0"}], indirect=True)
def test_where_a_token_is_wanted_its_url_opens_the_page(open_page, hub):
    page = open_page(hub.workbench)
    assert page.url == f"{hub.control}/"
    assert page.evaluate("document.cookie") == ""
    product(page).get_by_role("radio", name="off", exact=True).check()
    product(page).get_by_role("button", name="Apply").click()
    expect(page.locator("#product-status")).to_have_text("Applied.")
    register_type = hub._call(lambda: hub._server.management.product.register_type)
    assert register_type == 0


def test_what_others_switch_is_shown_too(page, hub):
    fault(page, "psk-off")
    switch = page.get_by_role("switch", name="psk-off")
    hub.fault("psk-off")
    expect(switch).to_be_checked()
    hub.clear_faults()
    expect(switch).not_to_be_checked()
    product(page).get_by_role("radio", name="off", exact=True).check()  # not yet applied
    hub.set_product(register_type=1, register_limit=7)
    expect(events(page, "registration for pre-created devices, limit 7")).to_be_visible()
    expect(product(page).get_by_role("radio", name="off", exact=True)).to_be_checked()
    page.reload()
    expect(product(page).get_by_role("radio", name="pre-created")).to_be_checked()
    expect(product(page).get_by_label("Limit")).to_have_value("7")
