"""The programs of README.md and docs/guide.md, as they stand there, on a virtual board."""

from dynreg_tools.sources import ROOT
from tests_host import pages
from tests_host.commands import dynreg


def program():
    """The Python of README.md."""
    [code] = pages.fences(ROOT / "README.md", "python")
    assert "def on_control" in code
    return code


def guide():
    """The blocks of the guide, one after the other, up to its sleep, without its loop."""
    blocks = pages.fences(ROOT / "docs/guide.md", "python")
    [end] = (at for at, block in enumerate(blocks) if "deepsleep" in block)
    return "\n".join(block for block in blocks[: end + 1] if "while True" not in block)


def test_a_message_from_the_shell_reaches_the_programs_callback(virtual_board, hub):
    virtual_board.board.write_file("/main.py", program().encode())
    running = virtual_board.start()
    topic = virtual_board.topic("control")
    hub.wait_for("subscribe", 60, topic=topic)
    name = topic.split("/")[1]
    sent = dynreg("hub", "send", "--hub", hub.control, name, "control", '{"led":1}')
    assert (sent.code, sent.out) == (0, f"{topic}: 1 receiver\n")
    running.wait_for(f"""{topic} b'{{"led":1}}'""", 30)  # bytes: MicroPython prints them so
    [row] = dynreg("hub", "devices", "--hub", hub.control, "--json").rows[0]
    assert row["name"] == name
    assert row["online"] is True
    assert topic in row["subscriptions"]


def test_the_steps_of_the_guide_run_one_after_the_other(virtual_board, hub):
    code = guide().replace("poll(60000)", "poll(100)")
    virtual_board.board.write_file("/main.py", code.encode())
    running = virtual_board.start()
    running.wait_for("heater: on", 60)
    running.wait_for("disconnect: done", 10)
    sent = [event["topic"] for event in hub.events if event["event"] == "publish"]
    assert sent.count(virtual_board.topic("event")) == 4
    asked = [event["topic"] for event in hub.events if event["event"] == "subscribe"]
    assert virtual_board.topic("data") in asked
