"""The examples of docs/api.md run, one after the other, on a board against the local hub."""

import json
import re

import pytest

from tests_host.api_page import api

# The first connects; the last two log in by themselves, and erase the credential.
ORDER = [
    *("device", "info", "session", "errors", "time", "log"),
    *(name for name in api.services() if name != "aio"),
    *("aio", "facade", "forget"),
]
TEMPLATE = {
    "properties": [{"id": "level", "mode": "rw", "define": {"type": "int", "max": "100"}}],
    "events": [{"id": "low", "params": [{"id": "volt", "define": {"type": "float"}}]}],
    "actions": [{"id": "blink", "input": []}],
}
MAIN = """
import gc

names = {}
for name in %r:
    print("== " + name)
    with open("/examples/" + name + ".py") as file:
        exec(file.read(), names)
    if name in ("aio", "facade", "forget"):
        names.clear()
        gc.collect()
print("== over")
"""


@pytest.fixture
def hub_options():
    return {"payloads": True}


@pytest.fixture
def output(virtual_board, hub):
    """What each example printed, by name."""
    files = {f"/examples/{p.name}": p.read_text("utf-8") for p in api.EXAMPLES.glob("*.py")}
    files["/template.json"] = json.dumps(TEMPLATE)
    virtual_board.configure(setup={"key": "a key of 16 characters"})
    virtual_board.install({**files, "/main.py": MAIN % ORDER})
    text = virtual_board.boot(re.compile("== over|Traceback"), 120).replace("\r", "")
    parts = [part.partition("\n") for part in text.split("== ")[1:]]
    return {name: words for name, _, words in parts}


def test_the_examples_run(output, hub):
    assert list(output) == [*ORDER, "over"]
    assert "Traceback" not in "".join(output.values())
    assert "registered   20" in output["device"]
    assert "argument a message is str or bytes, 16384 bytes at most" in output["errors"]
    assert "['DEBUG a line', 'INFO another'" in output["log"]
    assert "0 0 0" in output["queue"]
    assert "level is more than 100" in output["template"]
    assert "{'report': {'level': 5}}" in output["thing"]
    assert "nothing yet" in output["aio"]
    assert "credential: both copies erased" in output["forget"]
    events = [event for event in hub.events if event["event"] == "publish"]
    assert {"alive": 1} in [
        json.loads(e["payload"]["text"]) for e in events if "text" in e["payload"]
    ]
