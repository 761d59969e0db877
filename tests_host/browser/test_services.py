"""Services in the page: calls, broadcasts, shadow, properties, configuration, updates."""

import json
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from dynreg_tools.bundles import pack
from tests_host.browser.conftest import opened_row, screenshot
from tests_host.corpus import packets
from tests_host.localhub.hubclient import PRODUCT_ID, logged_in

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

OWN = f"{PRODUCT_ID}/dev-01"
HOSTILE = "<img src=x onerror=document.title=1>"
BOARDS = 50


def region(page, name):
    return page.get_by_role("region", name=name)


@contextmanager
def answers(client, topic, answer):
    """The device answers what comes: `answer(message)` on `topic(message)`."""

    def reply(_, __, message):
        client.client.publish(topic(message), json.dumps(answer(json.loads(message.payload))))
        client.note(client.messages, message)

    client.client.on_message = reply
    yield


def ways(page, way, button, payload):
    form = region(page, "Send a message")
    form.get_by_role("radio", name=way).check()
    form.get_by_label("Payload", exact=True).fill(payload)
    form.get_by_role("button", name=button).click()
    return form.locator("#send-status")


def test_a_device_is_called_and_its_answer_shown(page, device):
    client = device("dev-01", "$rrpc/rxd/{own}/+")
    answer = {"said": HOSTILE}
    opened_row(page, "dev-01").get_by_role("button", name="Send a message").click()
    with answers(client, lambda m: m.topic.replace("rxd", "txd"), lambda _: answer):
        status = ways(page, "call with an answer", "Call", '{"ask":1}')
        expect(status).to_contain_text("dev-01 answered after")
    expect(page.locator("#send-answer")).to_contain_text(HOSTILE)
    assert page.locator("main img").count() == 0
    device("dev-02")
    region(page, "Send a message").get_by_label("Device").fill("dev-02")
    expect(ways(page, "call", "Call", "x")).to_have_text("dev-02 does not listen for calls.")
    expect(page.locator("#send-answer")).to_be_empty()


def test_a_broadcast_reaches_those_who_listen(page, device):
    clients = [device(name, "$broadcast/rxd/{own}") for name in ("dev-01", "dev-02")]
    expect(ways(page, "broadcast", "Broadcast", "hello")).to_have_text("Broadcast: 2 receivers.")
    assert [one.wait(one.messages).payload for one in clients] == [b"hello"] * 2


def shadow_rows(page, count):
    """Its cells, when it has so many lines."""
    expect(page.locator("#shadow-rows tr")).to_have_count(count)
    return [line.split("\t") for line in page.locator("#shadow-rows tr").all_inner_texts()]


def test_what_is_desired_is_edited_beside_what_is_reported(page, hub, device):
    client = device("dev-01", "$shadow/operation/result/{own}")
    opened_row(page, "dev-01").get_by_role("button", name="Its state").click()
    desired = page.get_by_label("Desired, as JSON")
    desired.fill('{"led": 1, "name": "a"}')
    page.get_by_role("button", name="Set desired").click()
    expect(page.locator("#shadow-status")).to_have_text("Desired: led, name.")
    assert shadow_rows(page, 2) == [["led", "–", "1", "differs"], ["name", "–", '"a"', "differs"]]
    desired.fill('{"led": 1, "rate": 2}')
    hub.services.desire("dev-01", {"other": 3})
    report = {"type": "update", "state": {"reported": {"led": 1, HOSTILE: 0}}, "clientToken": "1"}
    client.client.publish(f"$shadow/operation/{OWN}", json.dumps(report))
    expect(page.locator("#shadow-rows tr").filter(has_text="led")).to_have_text("led11")
    expect(page.locator("#shadow-rows")).to_contain_text(HOSTILE)
    expect(desired).to_have_value('{"led": 1, "rate": 2}')
    page.get_by_role("button", name="Set desired").click()
    expect(page.locator("#shadow-status")).to_have_text("Desired: rate, name.")
    assert hub.services.shadow("dev-01").desired == {"led": 1, "rate": 2, "other": 3}
    desired.fill("[")
    page.get_by_role("button", name="Set desired").click()
    expect(page.locator("#shadow-status")).to_contain_text("no JSON object")


# Numbers that JavaScript's 53 bits would change, or write otherwise.
NUMBERS = (
    '{"a": 12345678901234567890, "b": 9007199254740993, "c": 1.0, "d": [-9223372036854775808]}'
)


def test_numbers_are_shown_and_sent_as_they_are_written(page, hub, device):
    client = device("dev-01", "$config/operation/result/{own}")
    wanted = json.loads(NUMBERS)
    opened_row(page, "dev-01").get_by_role("button", name="Its state").click()
    page.get_by_label("Desired, as JSON").fill(NUMBERS)
    page.get_by_role("button", name="Set desired").click()
    expect(page.locator("#shadow-status")).to_have_text("Desired: a, b, c, d.")
    assert hub.services.shadow("dev-01").desired == wanted
    shown = {row[0]: row[2] for row in shadow_rows(page, 4)}
    assert shown["a"] == "12345678901234567890"
    assert shown["b"] == "9007199254740993"
    assert shown["c"] == "1.0"
    assert shown["d"] == "[-9223372036854775808]"
    edited = json.loads(page.get_by_label("Desired, as JSON").input_value())
    assert edited == wanted
    page.get_by_role("button", name="Set desired").click()
    expect(page.locator("#shadow-status")).to_have_text("Nothing is different.")
    page.get_by_text("Configuration none").click()
    page.get_by_label("Remote configuration").fill(NUMBERS)
    page.get_by_role("button", name="Push").click()
    message = client.wait(client.messages).payload
    assert b"12345678901234567890" in message
    assert json.loads(message)["payload"] == wanted
    payload = {"reported": {"a": wanted["a"], "text": "9007199254740993"}}
    client.client.publish(
        f"$shadow/operation/{OWN}",
        json.dumps({"type": "update", "state": payload, "clientToken": "1"}),
    )
    expect(page.locator("#shadow-rows tr").filter(has_text="text")).to_contain_text(
        '"9007199254740993"'
    )
    expect(page.locator("#shadow-rows tr").first).to_have_text("a" + 2 * "12345678901234567890")


def test_properties_are_set_and_actions_done(page, device):
    client = device("dev-01", "$thing/down/property/{own}", "$thing/down/action/{own}")

    def reply(message):
        method = f"{message['method']}_reply"
        said = {"method": method, "clientToken": message["clientToken"], "code": 0, "status": ""}
        return {**said, "response": {"times": message["params"].get("times")}}

    opened_row(page, "dev-01").get_by_role("button", name="Its state").click()
    page.get_by_text("Properties and actions").click()
    report = {"method": "report", "clientToken": "1", "params": {"on": 0}}
    client.client.publish(f"$thing/up/property/{OWN}", json.dumps(report))
    expect(page.locator("#thing-rows")).to_contain_text("on")
    page.get_by_label("Properties to set").fill('{"on": 1}')
    up = {"property": "up/property", "action": "up/action"}
    with answers(client, lambda m: f"$thing/{up[m.topic.split('/')[2]]}/{OWN}", reply):
        page.get_by_role("button", name="Set properties").click()
        expect(page.locator("#thing-status")).to_have_text("The device has done it.")
        page.get_by_label("Action").fill("blink")
        page.get_by_label("Parameters, as JSON").fill('{"times": 3}')
        page.get_by_role("button", name="Act").click()
        expect(page.locator("#action-response")).to_contain_text("times: 3")


def test_a_configuration_is_pushed_and_taken_away(page, hub, device):
    client = device("dev-01", "$config/operation/result/{own}")
    opened_row(page, "dev-01").get_by_role("button", name="Its state").click()
    page.get_by_text("Configuration none").click()
    page.get_by_label("Remote configuration").fill('{"period": 60}')
    page.get_by_role("button", name="Push").click()
    expect(page.locator("#config-status")).to_have_text("The device has it.")
    message = json.loads(client.wait(client.messages).payload)
    assert message == {"type": "push", "payload": {"period": 60}}
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#config-status")).to_have_text("Removed.")
    expect(page.get_by_label("Remote configuration")).to_have_value("")
    page.get_by_label("Remote configuration").fill('{"period": 61}')
    page.get_by_role("button", name="Push").click()
    expect(page.locator("#config-status")).to_have_text("The device has it.")
    # As from the shell: the page follows, and the events say it.
    httpx.delete(f"{hub.control}/devices/dev-01/config")
    expect(page.get_by_label("Remote configuration")).to_have_value("")
    expect(region(page, "Events")).to_contain_text("its configuration was removed")


def test_an_update_that_is_cancelled_elsewhere(page, hub, device):
    hub.add_device("dev-01")
    hub.services.update("dev-01", "1.1", b"file")
    row = page.locator("#update-rows tr")
    expect(row).to_contain_text("offered")
    httpx.delete(f"{hub.control}/devices/dev-01/update")
    expect(row).to_contain_text("cancelled")
    expect(region(page, "Events")).to_contain_text("the update to 1.1 is offered no more")


class Board:
    """A device that says how far its update is."""

    def __init__(self, hub, name):
        self.own = f"{PRODUCT_ID}/{name}"
        self.raw = logged_in(hub, name)
        self.raw.send(packets.subscribe(1, f"$ota/update/{self.own}"))
        self.raw.packet()
        self.say({"type": "report_version", "report": {"version": "1.0"}})

    def say(self, message):
        self.raw.send(packets.publish(f"$ota/report/{self.own}", json.dumps(message).encode()))

    def progress(self, state, percent, code=0, said=""):
        told = {"state": state, "percent": percent, "result_code": code, "result_msg": said}
        self.say({"type": "report_progress", "report": {"version": "1.1", "progress": told}})

    def done(self):
        self.progress("done", 100)
        self.say({"type": "report_version", "report": {"version": "1.1"}})


def bundle(folder):
    (folder / "main.py").write_text("print('new')\n")
    return pack.pack(folder, "1.1").data


# What the line below the form says, all of it, in `said`.
NOTE_STATUS = """() => {
  window.said = [];
  const status = document.getElementById("update-status");
  const note = () => window.said.push(status.textContent);
  new MutationObserver(note).observe(status, { childList: true, subtree: true });
}"""


def choose(page, name, data):
    page.get_by_label("Bundle or image").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def test_fifty_boards_are_watched_taking_a_bundle(open_page, hub, tmp_path):
    with ExitStack() as stack:
        boards = [Board(hub, f"board-{i:02}") for i in range(BOARDS)]
        for board in boards:
            stack.enter_context(board.raw)
        page = open_page(viewport={"width": 360, "height": 900})
        rows = page.locator("#update-rows tr")
        expect(rows).to_have_count(BOARDS)
        choose(page, "app.bundle", bundle(tmp_path))
        expect(region(page, "Updates").get_by_label("Version")).to_have_value("1.1")
        page.get_by_role("button", name="Offer").click()
        page.evaluate(NOTE_STATUS)
        page.get_by_role("dialog").get_by_role("button", name="Update").click()
        heard = f"offered to {BOARDS} devices; {BOARDS} of {BOARDS} heard"
        expect(page.locator("#update-status")).to_contain_text(heard)
        said = page.evaluate("said")
        assert f"1 of {BOARDS}…" in said
        assert f"{BOARDS} of {BOARDS}…" in said
        for board in boards:
            board.progress("downloading", 40)
        expect(rows.get_by_text("40 %")).to_have_count(BOARDS)
        boards[0].progress("fail", 40, -4, HOSTILE)
        for board in boards[1:31]:
            board.done()
        count = page.locator("#update-count")
        expect(count).to_have_text(f"{BOARDS} devices: 19 under way, 30 done, 1 failed")
        expect(rows.first).to_contain_text(f"{HOSTILE} (-4)")
        assert page.locator("main img").count() == 0
        expect(rows.nth(1)).to_contain_text("1.1")
        bar = page.get_by_role("progressbar", name="Progress of board-40")
        expect(bar).to_have_js_property("value", 40)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        screenshot(page, "updates-360")
        page.get_by_role("button", name="Cancel all").click()
        page.get_by_role("button", name="Cancel updates").click()
        expect(count).to_have_text(f"{BOARDS} devices: 30 done, 1 failed")
        region(page, "Updates").get_by_label("Show").select_option("failed")
        expect(rows).to_have_count(1)


def test_a_file_that_is_neither_bundle_nor_image_is_not_offered(page, hub):
    offer = page.get_by_role("button", name="Offer")
    choose(page, "notes.txt", b"hello")
    expect(page.locator("#update-status")).to_contain_text("no bundle and no firmware image")
    expect(offer).to_be_disabled()
    choose(page, "firmware.bin", b"\xe9" + bytes(100))
    expect(page.locator("#update-status")).to_contain_text("type its version")
    region(page, "Updates").get_by_label("Version").fill("2.0")
    hub.add_device("dev-01")
    region(page, "Updates").get_by_label("For").select_option("named")
    page.get_by_label("Names").fill("dev-01")
    offer.click()
    expect(page.locator("#update-status")).to_contain_text("offered to dev-01; 0 of 1")
    assert hub.services.updates()["dev-01"]["version"] == "2.0"
