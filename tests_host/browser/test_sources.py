"""The page's sources: Node.js takes them, and there is no way for text to become markup."""

import re

import pytest

from dynreg_tools.build.javascript import PAGE, check

SCRIPTS = sorted(PAGE.glob("*.js"))


@pytest.mark.process
def test_the_scripts_are_modules_without_an_error():
    assert check(PAGE) == 0


@pytest.mark.process
def test_an_error_in_a_module_is_found(tmp_path, capfd):
    (tmp_path / "good.js").write_text('import { a } from "./b.js";\nexport const x = a;\n')
    (tmp_path / "bad.js").write_text('import { a } from "./b.js";\nexport const x = ;\n')
    assert check(tmp_path) == 1
    assert capfd.readouterr().err.startswith("bad.js")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_text_can_become_markup_or_code(script):
    ways = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|\bFunction\("
    )
    assert re.findall(ways, script.read_text("utf-8")) == []


def test_the_page_asks_nobody_else_and_has_no_inline_code():
    html = (PAGE / "index.html").read_text("utf-8")
    assert re.findall(r"https?:|//[a-z]|\sstyle=|\son[a-z]+=|<style", html) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short(script):
    lines = script.read_text("utf-8").splitlines()
    assert len(lines) <= 250
    assert max(map(len, lines)) <= 99
