"""Messages in the page: what they hold, and the form that sends them."""

import json

import pytest

from tests_host.browser.conftest import CONTROL, events, opened_row
from tests_host.localhub.hubclient import PRODUCT_ID

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

OWN = f"{PRODUCT_ID}/dev-01"


def test_json_is_folded_and_opens_by_the_keyboard(page, device):
    value = {"alive": 1, "wifi": {"rssi": -61, "channel": 6, "bssid": "00:11", "name": "home"}}
    device().client.publish(f"{OWN}/event", json.dumps(value))
    summary = events(page, "rssi").locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    folded = events(page, "rssi").locator(".json")
    expect(folded.get_by_text("alive")).to_be_visible()
    expect(folded.get_by_text("channel")).to_be_hidden()
    folded.get_by_text("{ 4 keys }").click()
    expect(folded.get_by_text("channel")).to_be_visible()
    expect(events(page, "rssi").get_by_text(f"{OWN}/event")).to_be_visible()


def test_bytes_are_shown_as_hex(page, device):
    device().client.publish(f"{OWN}/event", b"\x00\xff<b>dynreg</b>\n")
    events(page, "00 ff").locator("summary").click()
    expect(page.locator("#event-rows pre")).to_have_text(
        "0000  00 ff 3c 62 3e 64 79 6e 72 65 67 3c 2f 62 3e 0a  ..<b>dynreg</b>."
    )


def test_any_text_can_be_looked_at(page, device):
    client = device()
    payloads = [
        "{",
        "[" * 3000 + "]" * 3000,
        "",
        "null",
        '"x"',
        "[1,[2]]",
        '{"":{"__proto__":[]}}',
    ]
    for payload in payloads:
        client.client.publish(f"{OWN}/event", payload, qos=1)
    summaries = page.locator("#event-rows summary.line")
    expect(summaries).to_have_count(len(payloads))
    for i in range(len(payloads)):
        summaries.nth(i).click()
    expect(page.locator("#event-rows").locator("pre, .json")).to_have_count(len(payloads))


def send(page, name, payload, topic="control", **more):
    form = page.get_by_role("region", name="Send a message")
    form.get_by_label("Device").fill(name)
    form.get_by_label("Topic").fill(topic)
    form.get_by_label("Payload", exact=True).fill(payload)
    for label in more.values():
        form.get_by_role("radio", name=label, exact=True).check()
    form.get_by_role("button", name="Send").click()
    return form.get_by_role("status")


def received(client, count=1):
    message = client.wait(client.messages, count)
    return message.topic, message.payload, message.qos


def test_a_message_is_sent(page, device):
    client = device("dev-01", CONTROL)
    opened_row(page, "dev-01").get_by_role("button", name="Send a message").click()
    expect(page.get_by_label("Payload", exact=True)).to_be_focused()
    page.keyboard.type('{"led":1}')
    page.get_by_role("region", name="Send a message").get_by_role("button", name="Send").click()
    assert received(client) == (f"{OWN}/control", b'{"led":1}', 0)
    expect(page.locator("#send-status")).to_have_text(f"Sent to {OWN}/control: one receiver.")
    expect(events(page, "delivered").first).to_contain_text('{"led":1}')


def test_bytes_are_sent_with_qos_1_to_any_topic(page, device):
    client = device("dev-01", "$rrpc/rxd/{own}/+")
    status = send(
        page, "dev-01", "00 ff\n80", "$rrpc/rxd/{product}/{device}/7", form="hex", qos="1"
    )
    assert received(client) == (f"$rrpc/rxd/{OWN}/7", b"\0\xff\x80", 1)
    expect(status).to_contain_text("one receiver")
    expect(send(page, "dev-01", "", "other")).to_contain_text("nobody has subscribed")


def test_what_cannot_be_sent_is_told_beside_the_form(page, device):
    device()
    status = send(page, "dev-02", "x")
    expect(status).to_contain_text("dev-02")
    expect(status).to_have_class("status bad")
    expect(send(page, "dev-01", "0", form="hex")).to_have_class("status bad")
    expect(page.get_by_text("Hex is two digits a byte")).to_be_visible()
    expect(send(page, "dev-01", "00")).to_have_class("status")
    page.get_by_role("radio", name="text", exact=True).check()
    page.get_by_label("Payload", exact=True).fill("{")
    expect(page.get_by_text("no valid JSON")).to_be_visible()


IMAGE = '<img src=x onerror="document.title=1">'
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


def test_nothing_that_a_device_says_is_markup(page, hub, device):
    device().client.publish(f"$rrpc/txd/{OWN}/{IMAGE}", json.dumps({HOSTILE: [HOSTILE]}))
    hub._call(hub._journal.emit, "name_asked", name=HOSTILE)
    events(page, "publish").locator("summary").click()
    expect(events(page, "name asked")).to_contain_text(HOSTILE)
    expect(events(page, "publish")).to_contain_text(IMAGE)
    expect(events(page, "publish").locator(".json")).to_contain_text(HOSTILE)
    assert page.locator("main img, main script").count() == 0
    assert page.title() == f"dynreg hub {PRODUCT_ID}"
