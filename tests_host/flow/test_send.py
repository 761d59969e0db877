"""What README.md shows of one's own program, tried by hand: a message from the shell arrives."""

import re

from dynreg_tools.sources import ROOT
from tests_host.commands import dynreg


def program():
    """The Python of README.md."""
    readme = (ROOT / "README.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert "def on_control" in code
    return code


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
