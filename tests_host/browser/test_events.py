"""The stream of events in the page: filtered, paused, bounded, and followed over a restart."""

import random
import socket

import pytest

from dynreg_tools.hub import Hub
from tests_host.browser.conftest import events
from tests_host.localhub.hubclient import post, register

pytestmark = pytest.mark.process
expect = pytest.importorskip("playwright.sync_api").expect

SHOWN = 200


def find(page, text):
    page.get_by_role("region", name="Events").get_by_label("Find").fill(text)


def test_they_are_filtered_by_text_and_by_kind(page, hub):
    for name in ("dev-01", "dev-02"):
        register(hub, name)
    post(hub, "dev-03", secret="x" * 24)
    expect(events(page, "dev-")).to_have_count(3)
    find(page, "DEV-02")
    expect(events(page, "dev-")).to_have_count(1)
    find(page, "")
    expect(events(page, "dev-")).to_have_count(3)
    button = page.get_by_role("button", name="registrations")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(events(page, "dev-")).to_have_count(0)
    button.click()
    expect(events(page, "dev-")).to_have_count(3)
    page.get_by_role("button", name="Clear").click()
    expect(events(page, "dev-")).to_have_count(0)


def test_what_a_refusal_says_is_shown(page, hub):
    post(hub, "dev-01", secret="x" * 24)
    expect(events(page, "refused")).to_contain_text("signature")


def test_paused_they_wait_and_come_afterwards(page, hub):
    register(hub, "dev-01")
    expect(events(page, "dev-01")).to_have_count(1)
    page.get_by_role("button", name="Pause").click()
    register(hub, "dev-02")
    expect(page.locator("#event-count")).to_have_text("1 more since")
    expect(events(page, "dev-02")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    expect(events(page, "dev-02")).to_have_count(1)


def test_many_leave_the_page_whole(page, hub):
    for i in range(3000):
        hub._call(hub._journal.emit, "name_asked", name=f"host-{i}")
    expect(page.locator("#event-rows > li").first).to_contain_text("host-2999")
    expect(page.locator("#event-rows > li")).to_have_count(SHOWN)
    register(hub, "dev-01")
    expect(page.get_by_role("button", name="dev-01")).to_be_visible()
    find(page, "host-2999")
    expect(page.locator("#event-rows > li")).to_have_count(1)


def test_logins_and_messages_are_counted_in_words_too(page, device):
    client = device()
    client.client.publish("ABCDEFGHIJ/dev-01/event", "x", qos=1)
    expect(page.get_by_role("img", name="Logins of the last five minutes: 1")).to_be_visible()
    expect(page.get_by_role("img", name="Messages of the last five minutes: 1")).to_be_visible()
    page.get_by_text("As a table").click()
    logins = page.locator("#chart-rows td:nth-child(2)")
    assert sum(map(int, logins.all_inner_texts())) == 1


def free_ports():
    """The first of seven ports in a row of which nobody uses one now."""
    for _ in range(100):
        base = random.randrange(20000, 60000, 7)
        held = []
        try:
            for port in range(base, base + 7):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    held.append(socket.socket(socket.AF_INET, kind))
                    held[-1].bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise OSError("no seven free ports")


def test_a_restart_of_the_hub_is_told_and_survived(open_page, tmp_path, hub_options):
    options = hub_options | {
        "data": tmp_path / "again",
        "cert_key": "ec",
        "port_base": free_ports(),
    }
    with Hub(**options) as first:
        page = open_page(first.control)
        register(first, "dev-01")
        register(first, "dev-02")
        expect(events(page, "registered")).to_have_count(2)
    expect(page.locator("#connection")).to_contain_text("Trying again")
    with Hub(**options) as second:
        expect(page.locator("#connection")).to_have_text("Live")
        register(second, "dev-03")
        expect(events(page, "registered")).to_have_count(3)
        expect(page.get_by_role("button", name="dev-03")).to_be_visible()
        expect(events(page, "dev-03")).to_have_count(1)
