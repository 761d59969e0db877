"""docs/api.md is what the code says; each public name has its words, each group its example.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/api_page`.
"""

import ast
import os
import re

import pytest

from dynreg_tools import sources
from tests_host.api_page import api, library, raises

ERRORS = (
    (sources.ROOT / "docs" / "errors.md").read_text("utf-8").partition("## Of the commands")[0]
)
# Nobody makes these by hand: the library hands them over, or they stand for others.
HANDED_OVER = {"Call", "Endpoint", "Session"}


def test_the_page_is_what_the_code_says():
    if os.environ.get("DYNREG_GOLDEN") == "write":
        api.main()
    assert api.PAGE.read_text("utf-8") == api.page()


@pytest.mark.parametrize("name", api.public(), ids=lambda name: f"{name.module}.{name.name}")
def test_each_name_has_words(name):
    assert name.doc


@pytest.mark.parametrize("name", api.public(), ids=lambda name: f"{name.module}.{name.name}")
def test_each_name_is_in_its_modules_example(name):
    """A class by its name, or one of its methods; a method or function by its name."""
    if name.module == "errors" or name.name in HANDED_OVER:
        return
    text = "".join(path.read_text("utf-8") for path in api.EXAMPLES.glob("*.py"))
    used = {n.attr for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute)}
    used |= {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    assert name.name.rpartition(".")[2] in used


def test_the_codes_are_those_of_errors_md():
    made = {one.code for one in raises.every_error()}
    said = set(re.findall(r"(?m)^\| `([a-z.0-9]+)`", ERRORS))
    assert made - {"login.2", "login.3", "login.4", "login.5"} == said  # all in one row


# Read in the sources by hand: what each of these raises, no less and no more.
BY_HAND = {
    ("device", "Device.report"): "",
    ("device", "Device.state"): "config.other",
    ("device", "Device.forget"): "argument config storage",
    ("device", "Device"): "config config.other storage.damaged storage.two",
    ("mqtt.session", "Session.disconnect"): "",
    ("services.queue", "Queue"): "storage",
    ("services.queue", "Queue.save"): "",
    ("services.template", "Template"): "argument",
    ("services.ota", "Updater.confirm"): "storage",
    ("connect.wifi", "join"): "network.wifi",
    ("services.ota.unpack", "apply"): "ota.bundle ota.full ota.hash",
}


@pytest.mark.parametrize("place", BY_HAND, ids=".".join)
def test_the_codes_of_a_call_are_those_found_by_hand(place):
    assert " ".join(raises.codes(*place)) == BY_HAND[place]


def test_what_is_tried_again_does_not_come_out_of_poll():
    codes = raises.codes("mqtt.session", "Session.poll")
    assert not [code for code in codes if code.startswith(("network.", "login.", "certificate"))]


def test_a_service_without_words_of_its_own_cannot_hide():
    """Each service of lib/ has its part of the page."""
    page = api.PAGE.read_text("utf-8")
    for service in sources.services():
        assert f"dynreg.services.{service}" in page


def test_a_class_has_what_its_base_has():
    shadow = next(n for n in library.read("services.shadow").names if n.name == "Shadow")
    assert [member.name for member in shadow.members] == [
        "Shadow.sync",
        "Shadow.read",
        "Shadow.report",
    ]
