"""The site has every page, and shows what GitHub shows of it; the tree that it is built of."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dynreg_tools.build.sitepages import CHINESE, Pages, place
from dynreg_tools.errors import ToolError
from dynreg_tools.sources import ROOT

yaml = pytest.importorskip("yaml", reason="the extra docs is not installed")
markdown = pytest.importorskip("markdown")
site = pytest.importorskip("dynreg_tools.build.site")
sitehook = pytest.importorskip("dynreg_tools.build.sitehook")

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "firmware/*.md", ".github/*.md")
    for path in ROOT.glob(pattern)
)
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.mark.parametrize("page", PAGES)
def test_headings_are_in_order(page):
    tokens = GITHUB.parse((ROOT / page).read_text("utf-8"))
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    assert levels[:1] in ([1], [])
    assert levels.count(1) <= 1
    assert [b for a, b in pairwise(levels) if b > a + 1] == []


def test_the_navigation_has_every_page():
    settings = yaml.safe_load(site.CONFIG.read_text("utf-8"))
    named = list(site.named(settings["nav"]))
    docs = {name for name in PAGES if name.startswith("docs/") and not name.endswith(CHINESE)}
    assert {name for name in named if name.startswith("docs/")} == docs
    assert len(named) == len(set(named))


def test_the_navigation_has_words_for_both_languages():
    settings = yaml.safe_load(site.CONFIG.read_text("utf-8"))

    def titles(nav):
        for entry in nav:
            for title, value in entry.items():
                yield title
                yield from titles(value if isinstance(value, list) else [])

    assert set(titles(settings["nav"])) == set(settings["extra"]["chinese"])


class Shown(HTMLParser):
    """What a reader is shown: words, and the blocks that they stand in."""

    BLOCKS = (
        *("h1", "h2", "h3", "h4", "li", "ul", "ol", "pre", "table", "tr", "th", "td"),
        *("blockquote", "a", "code", "em", "strong"),
    )

    def __init__(self, html):
        super().__init__()
        self.text = ""
        self.feed(html)
        self.close()
        self.parts = "".join(self.text.split()).split("<")

    def handle_starttag(self, tag, attrs):
        if tag in self.BLOCKS:
            self.text += f" <{tag}> "

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("page", PAGES)
def test_the_site_shows_what_github_shows(page):
    """Two readers of Markdown: what only one of them takes for a list or a table is seen here."""
    tree = Pages(ROOT, chinese=page.endswith(CHINESE)).page(page.replace(CHINESE, ".md"))
    reader = markdown.Markdown(extensions=["sane_lists", "tables", "pymdownx.superfences"])
    github = GITHUB.render((ROOT / page).read_text("utf-8"))
    assert Shown(reader.convert(tree)).parts == Shown(github).parts


@pytest.fixture
def repository(tmp_path):
    """A small one, with a page in two languages and a program."""
    files = {
        "docs/a.md": "# A\n[b](b.md#two) [main](../main.py) ![](p.png) [zh](b.zh-CN.md)"
        " [k](b.md#kept) `[n](n.md)`",
        "docs/b.md": '# B\n## Two\n[read](../README.md) <img src="p.png"> [x](http://h/x)\n\n'
        "| `a\\|b` |\n|---|\n| `c\\|d` |\n",
        "docs/b.zh-CN.md": '# 乙\n## <a id="kept"></a>二\n[a](a.md) [b](b.md)\n',
        "docs/p.png": "p",
        "README.md": '# R\n[a](docs/a.md) <img src="docs/p.png"> [f](folder)\n',
        "main.py": "print('```')\n",
        "folder/one.txt": "",
    }
    for name, text in files.items():
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "from"


def test_the_english_tree(repository, tmp_path):
    Pages(repository, chinese=False).write(tmp_path / "to", ["no.md"])
    tree = {p.relative_to(tmp_path / "to").as_posix() for p in (tmp_path / "to").rglob("*.*")}
    assert tree == {
        "a.md",
        "b.md",
        "p.png",
        "repository/README.md",
        "repository/main.py.md",
        "repository/folder.md",
    }
    assert (tmp_path / "to/a.md").read_text() == (
        "# A\n[b](b.md#two) [main](repository/main.py.md) ![](p.png) [zh](other-language:b.md)"
        " [k](b.md#kept) `[n](n.md)`"
    )
    assert "[read](repository/README.md)" in (tmp_path / "to/b.md").read_text()
    assert "`a|b`" in (tmp_path / "to/b.md").read_text()
    readme = (tmp_path / "to/repository/README.md").read_text()
    assert '[a](../a.md) <img src="../p.png"> [f](folder.md)' in readme
    assert "print('```')" in (tmp_path / "to/repository/main.py.md").read_text()
    assert "one.txt" in (tmp_path / "to/repository/folder.md").read_text()


def test_the_chinese_tree(repository, tmp_path):
    Pages(repository, chinese=True).write(tmp_path / "to", [])
    own, fallback = ((tmp_path / "to" / name).read_text("utf-8") for name in ("b.md", "a.md"))
    assert own.endswith("\n[a](a.md) [b](other-language:b.md)\n")
    assert "本页尚无中文版" in fallback
    assert "[b](other-language:b.md#two)" in fallback  # an anchor of the English page
    assert "[zh](b.md) [k](b.md#kept)" in fallback


def test_a_link_out_of_the_repository_is_refused(repository, tmp_path):
    for link in ("../../secret.md", "no.md"):
        (repository / "docs/a.md").write_text(f"[x]({link})")
        with pytest.raises(ToolError, match=r"docs/a\.md: links to .* not in the repository"):
            Pages(repository, chinese=False).write(tmp_path / "to", [])


def test_anchors_are_those_of_github():
    assert sitehook.slug("7a. The vendor's own: two_words, 错误码", "-") == (
        "7a-the-vendors-own-two_words-错误码"
    )


def test_places():
    assert place("docs/hub.zh-CN.md") == "hub.md"
    assert place("README.zh-CN.md") == "repository/README.md"
    assert place("lib/hub/hub.py") == "repository/lib/hub/hub.py.md"


def test_a_built_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#x"> <a href="a.html?q"> <a href="http://h">')
    assert list(site.broken(tmp_path)) == ["  a.html: b.html"]


@pytest.mark.process
def test_without_mkdocs_it_says_what_to_install():
    script = "import sys; sys.modules['material'] = None; from dynreg_tools.build import site; "
    done = subprocess.run(
        [sys.executable, "-c", script + "sys.exit(site.main())"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("dev docs: it needs material: pip install -e '.[docs]'")


@pytest.mark.slow
def test_it_builds_without_a_warning():
    done = subprocess.run(
        [sys.executable, "-m", "dynreg_tools.build.site", "--json"], capture_output=True, text=True
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["pages"]["en"] == result["pages"]["zh"]
    pages = list(Path(result["site"]).rglob("*.html"))
    assert len(pages) > 40
    loaded = r'(?:src|<link[^>]* href)="https?:'
    assert [p.name for p in pages if re.search(loaded, p.read_text("utf-8"))] == []
