"""The forms for issues: as GitHub takes them, and as the page that one of them follows."""

import re

import pytest

from dynreg_tools.sources import ROOT

yaml = pytest.importorskip("yaml", reason="the extra docs is not installed")

FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def fields(form):
    """The parts of a form, by its id; text for the reader has none."""
    body = yaml.safe_load(form.read_text("utf-8"))["body"]
    assert {part["type"] for part in body} <= KINDS
    asked = [part for part in body if part["type"] != "markdown"]
    return {part["id"]: part for part in asked}, len(asked)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_github_takes(form):
    found, asked = fields(form)
    labels = [part["attributes"]["label"] for part in found.values()]
    assert len(found) == asked
    assert len(set(labels)) == asked
    for part in found.values():
        options = part["attributes"].get("options", [])
        assert len({str(option) for option in options}) == len(options)


def test_the_hardware_report_has_the_steps_of_its_page():
    page = (ROOT / "docs/hardware.md").read_text("utf-8")
    ten_minutes = page.split("## Ten minutes with one board")[1]
    steps = re.findall(r"(?m)^(\d+\. )\*\*(.+?)\.?\*\*", ten_minutes)
    found, _ = fields(ROOT / ".github/ISSUE_TEMPLATE/hardware.yml")
    options = [option["label"] for option in found["steps"]["attributes"]["options"]]
    assert options == ["".join(step) for step in steps]
    assert len(options) >= 10
