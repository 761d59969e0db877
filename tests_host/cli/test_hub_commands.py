"""`dynreg hub devices`, `send`, `watch` and the rest, against a hub that runs."""

import io
import socket
import stat
import threading
import time

import pytest

from dynreg_tools.commands import hub_places
from dynreg_tools.errors import ToolError
from tests_host.commands import dynreg

PRODUCT_ID = "ABCDEFGHIJ"


@pytest.fixture
def hub_options():
    return {"product_id": PRODUCT_ID}


@pytest.fixture
def command(hub):
    """`dynreg hub …` for this hub."""

    def run(name, *arguments, **environment):
        return dynreg("hub", name, "--hub", hub.workbench, *arguments, **environment)

    return run


def test_devices(hub, command):
    assert command("devices").out.split() == [
        *("name", "registered", "activated", "online", "tls", "last_seen", "disabled")
    ]
    hub.add_device("lamp-1")
    assert command("devices").out.splitlines()[1].split() == [
        *("lamp-1", "no", "no", "no", "-", "-", "no")
    ]
    assert dynreg("hub", "--json", "devices", "--hub", hub.control).rows
    [[row]] = command("devices", "--json").rows
    assert row["name"] == "lamp-1"
    assert row["registered"] is False


def test_precreate_and_delete(hub, command):
    assert command("precreate", "a", "b").out == "created: a b\n"
    assert command("precreate", "b", "c").out == "created: c\nexisting: b\n"
    result = command("precreate", "d", "not good")
    assert result.code == 1
    assert result.err.startswith("dynreg: the device name 'not good' is not 1 to 48")
    assert [device["name"] for device in hub.devices()] == ["a", "b", "c"]
    assert command("delete", "a").out == "a: deleted; it may register again\n"
    result = command("delete", "a")
    assert (result.code, result.out, result.err) == (1, "", "dynreg: there is no device 'a'\n")


def test_disable_enable_kick(hub, command):
    hub.add_device("a")
    assert command("disable", "a").out == "a: disabled\n"
    assert hub.devices()[0]["disabled"] is True
    assert command("enable", "a", "--json").rows[0]["disabled"] is False
    result = command("kick", "a")
    assert (result.code, result.out) == (1, "a: has no session\n")
    assert command("kick", "a", "--json").rows == [{"kicked": False}]


def test_product(command):
    assert command("product").out == (
        f"product {PRODUCT_ID}, auth mode key\nregistration: auto-create, at most 1000 devices\n"
    )
    result = command("product", "--register-type", "pre-created", "--register-limit", "5")
    assert result.out.endswith("registration: pre-created, at most 5 devices\n")
    assert command("product", "--json").rows[0]["register_type"] == 1
    result = command("product", "--register-limit", "-1")
    assert result.code == 1
    assert result.err.startswith("dynreg: register_limit must be")


@pytest.mark.parametrize("word", ["off", "0"])
def test_a_register_type_by_name_or_number(command, word):
    command("product", "--register-type", word)
    assert command("product", "--json").rows[0]["register_type"] == 0


def test_faults(hub, command):
    assert command("faults").out == "no fault is on\n"
    result = command("faults", "on", "tls-expired@broker", "http-page:503*2")
    assert [line.split() for line in result.out.splitlines()[1:]] == [
        ["tls-expired", "-", "broker", "-"],
        ["http-page", "503", "-", "2"],
    ]
    assert [fault["name"] for fault in hub.faults] == ["tls-expired", "http-page"]
    assert command("faults", "off", "http-page").out == "1 switched off\n"
    assert command("faults", "off").out == "1 switched off\n"
    assert command("faults", "off").code == 1
    assert "tls-expired" in command("faults", "--known").out
    result = command("faults", "on", "tls-expird")
    assert result.code == 1
    assert "nearest: tls-expired" in result.err
    assert command("faults", "on").err.startswith("dynreg: name the fault")


def test_send_to_nobody(hub, command):
    hub.add_device("lamp-1")
    result = command("send", "lamp-1", "control", "on")
    assert result.code == 1
    assert result.out == f"{PRODUCT_ID}/lamp-1/control: nobody gets it\n"
    result = command("send", "other", "control", "on")
    assert (result.code, result.err) == (1, "dynreg: there is no device 'other'\n")
    result = command("send", "lamp-1", "control", "0", "--hex")
    assert (result.code, result.err) == (1, "dynreg: payload_hex is not pairs of hex digits\n")


@pytest.fixture
def sent(hub, monkeypatch):
    """What is sent, without a device that gets it."""
    messages = []
    hub.add_device("lamp-1")
    broker = hub._server.broker
    monkeypatch.setattr(broker, "publish", lambda *given: messages.append(given) or 1)
    return messages


def test_what_send_sends(command, sent, monkeypatch):
    topic = f"{PRODUCT_ID}/lamp-1/control"
    assert command("send", "lamp-1", "control", "höher").out == f"{topic}: 1 receiver\n"
    assert command("send", "lamp-1", "control", "00ff", "--hex", "--qos", "1").code == 0
    for data, more in ((b"\xff\0", []), (b"text\n", []), (b" 00ff\n", ["--hex"])):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        assert command("send", "lamp-1", "control", "-", *more).code == 0
    assert sent == [
        (topic, "höher".encode(), 0),
        (topic, b"\0\xff", 1),
        (topic, b"\xff\0", 0),
        (topic, b"text\n", 0),
        (topic, b"\0\xff", 0),
    ]


def test_watch_all_with_filters(hub, command):
    hub.add_device("a")
    hub.add_device("b")
    hub.set_disabled("b")
    rows = command("watch", "--all", "--stop-after", "0.5").rows
    assert [(row["event"], row["device_name"]) for row in rows] == [
        ("precreated", "a"),
        ("precreated", "b"),
        ("disabled", "b"),
    ]
    rows = command("watch", "--all", "--stop-after", "0.5", "--device", "b").rows
    assert [row["event"] for row in rows] == ["precreated", "disabled"]
    rows = command("watch", "--all", "--stop-after", "0.5", "--event", "disabled").rows
    assert [row["event"] for row in rows] == ["disabled"]
    assert command("watch", "--event", "nonsense").code == 2


def test_watch_from_now_on_until_the_hub_ends(hub, command):
    hub.add_device("before")

    def later():
        hub.wait_for("time_served", 20)  # by this thread's own question: watch is there
        hub.add_device("after")
        time.sleep(0.3)
        hub.stop()

    threading.Thread(target=later).start()
    asking = threading.Timer(1.0, _ask_time, [hub.ntp])
    asking.start()
    result = command("watch")
    assert result.code == 1
    assert result.err == "dynreg: the hub has ended\n"
    assert [row.get("device_name") for row in result.rows] == [None, "after"]


def _ask_time(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"\x1b" + bytes(47), address)


def test_the_hub_that_runs_here(hub, tmp_path):
    here = {"XDG_RUNTIME_DIR": str(tmp_path)}
    result = dynreg("hub", "devices", **here)
    assert (result.code, result.out) == (1, "")
    assert (
        result.err
        == "dynreg: no hub runs here: start one with `dynreg hub`, or name one with --hub URL\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        with hub_places.announced(hub.workbench, PRODUCT_ID):
            [file] = hub_places.folder().iterdir()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
            assert dynreg("hub", "devices", **here).code == 0
        assert list(hub_places.folder().iterdir()) == []
        with hub_places.announced("http://127.0.0.1:1/", "GONE"):  # as after kill -9
            assert dynreg("hub", "devices", **here).code == 1
            assert list(hub_places.folder().iterdir()) == []
        with hub_places.announced(hub.workbench, "ANOTHER"):  # whose port this hub has now
            assert dynreg("hub", "devices", **here).code == 1
            assert list(hub_places.folder().iterdir()) == []


def test_several_hubs_here(hub, start_hub, tmp_path):
    here = {"XDG_RUNTIME_DIR": str(tmp_path)}
    other = start_hub()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        with (
            hub_places.announced(hub.workbench, PRODUCT_ID),
            hub_places.announced(other.workbench, other.product_id),
        ):
            result = dynreg("hub", "devices", **here)
            assert result.code == 1
            assert result.err.startswith("dynreg: several hubs run here, name one with --hub")
            assert f"{hub.control} ({PRODUCT_ID})" in result.err
            assert f"{other.control} ({other.product_id})" in result.err
            assert dynreg("hub", "devices", DYNREG_HUB=other.control, **here).code == 0


@pytest.fixture
def start_hub(tmp_path):
    from dynreg_tools.hub import Hub

    hubs = []

    def start(**options):
        hubs.append(Hub(tmp_path / "other", cert_key="ec", **options))
        hubs[-1].start()
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.stop()


def test_a_hub_that_wants_a_token(start_hub):
    hub = start_hub(control_host="0.0.0.0")
    assert dynreg("hub", "devices", "--hub", hub.workbench).code == 0
    result = dynreg("hub", "devices", "--hub", hub.control)
    assert result.code == 1
    assert result.err.startswith("dynreg: the token is missing or wrong")


@pytest.mark.parametrize("url", ["nonsense", "https://127.0.0.1:1", "http://[", "http://a:b", ""])
def test_a_url_that_is_none(url):
    with pytest.raises(ToolError, match="not the URL of a hub"):
        hub_places.parsed(url)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n\r\nhello", b"SSH-2.0\r\n", b"", b"{}\n"])
def test_what_is_no_hub(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            sock, _ = server.accept()
            with sock:
                sock.recv(1000)
                sock.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = dynreg("hub", "devices", "--hub", url)
        thread.join()
    assert (result.code, result.out) == (1, "")
    assert url in result.err
    assert result.err.count("\n") == 1


def test_call_to_nobody(hub, command):
    hub.add_device("lamp-1")
    result = command("call", "lamp-1", "on")
    assert result.code == 1
    assert result.out == "the device is not online, or does not listen for this\n"
    result = command("call", "other", "on")
    assert (result.code, result.err) == (1, "dynreg: there is no device 'other'\n")
    result = command("call", "lamp-1", "on", "--timeout", "11")
    assert (result.code, result.err) == (1, "dynreg: timeout must be 1 to 10\n")


def test_broadcast_to_nobody(command):
    result = command("broadcast", "hello")
    assert (result.code, result.out) == (1, "nobody gets it\n")


def test_shadow(hub, command):
    hub.add_device("lamp-1")
    assert command("shadow", "lamp-1").out.splitlines() == [
        "version   0",
        "reported  {}",
        "desired   null",
        "delta     {}",
    ]
    result = command("shadow", "lamp-1", '{"led":1}', "--json")
    assert result.rows[0]["delta"] == {"led": 1}
    assert command("shadow", "lamp-1", "null").out.splitlines()[2] == "desired   null"
    for arguments, error in (
        (["{led:1}"], "'{led:1}' is not JSON: is it quoted for the shell?"),
        (["7"], "desired must be a JSON object or null"),
        (["{}", "--version", "9"], "the shadow has version 2, not 9"),
        (["--version", "9"], "--version is for a change: give the JSON that is desired, too"),
    ):
        result = command("shadow", "lamp-1", *arguments)
        assert (result.code, result.err) == (1, f"dynreg: {error}\n")


def test_thing(hub, command):
    hub.add_device("lamp-1")
    assert command("thing", "lamp-1").out.splitlines() == [
        "reported  {}",
        "control   {}",
        "info      {}",
    ]
    result = command("thing", "lamp-1", '{"on":1}')
    assert result.code == 1
    assert result.out == "the device is not online, or does not listen for this\n"
    result = command("action", "lamp-1", "blink", "--json")
    assert result.rows[0]["receivers"] == 0
    result = command("action", "lamp-1", "blink", "{")
    assert result.err == "dynreg: '{' is not JSON: is it quoted for the shell?\n"
