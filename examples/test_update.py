"""A program over the air: the new version keeps itself, a bad one goes by itself."""

import json
import shutil
from pathlib import Path

import pytest

from dynreg_tools.bundles import pack

APP = Path(__file__).parent / "update"
# seconds=0: no watchdog, which would end with one more restart
TRIAL = pack.Trial(boots=2, seconds=0)


@pytest.fixture
def hub_options():
    return {"payloads": True}


def bundle(version: str, folder: Path, text: str) -> pack.Bundle:
    """What `dynreg bundle` makes of the program with other words."""
    shutil.copytree(APP, folder)
    (folder / "words.py").write_text(text)
    return pack.pack(folder, version, TRIAL)


# The pauses between a download's connections take no time.
@pytest.mark.usefixtures("fast_clock")
def test_a_good_version_stays_and_a_bad_one_is_given_up(virtual_board, hub, tmp_path):
    first = pack.factory(pack.pack(APP, "1.0"))  # what `dynreg bundle --factory` writes
    virtual_board.install({f"/{path}": data for path, data in first.items()})
    name, topic = virtual_board.name, virtual_board.topic("event")
    good = bundle("1.1", tmp_path / "good", 'TEXT = "good morning"\n')
    bad = bundle("1.2", tmp_path / "bad", "TXT = 0\n")
    running = virtual_board.start()
    running.wait_for("app: version 1.0", 30)
    hub.wait_for("publish", 30, topic=topic)
    hub.services.update(name, good.version, good.data)
    hub.wait_for("update", 60, version="1.1", state="done")
    said = [event["payload"]["text"] for event in hub.events if event.get("topic") == topic]
    assert [json.loads(said[place])["text"] for place in (0, -1)] == ["hello", "good morning"]
    hub.services.update(name, bad.version, bad.data)
    hub.wait_for("update", 60, version="1.2", state="fail")
    running.wait_for("ota: 1.2 is not confirmed: back to 1.1", 30)
    running.wait_for("app: version 1.1", 30)
    assert hub.services.updates()[name]["reported"] == "1.1"
