"""The pages as GitHub reads them and as the site does: links, anchors, the same text, the tree."""

import json
import re
import subprocess
import sys
from functools import cache
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


def headings(tokens):
    """(level, text) of each heading."""
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            inline = tokens[i + 1].children
            text = "".join(t.content for t in inline if t.type in ("text", "code_inline"))
            yield int(token.tag[1]), text


@cache
def parsed(page):
    return GITHUB.parse((ROOT / page).read_text("utf-8"))


@cache
def anchors(page):
    """Those of a page's headings, as GitHub numbers them, and those that it names itself."""
    found = re.findall(r'<a id="([^"]+)"', (ROOT / page).read_text("utf-8"))
    for _, text in headings(parsed(page)):
        slug = sitehook.slug(text, "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return found


def links(tokens):
    """Where a page's links and pictures lead, those in HTML too."""
    for token in tokens:
        for part in token.children or [token]:
            yield from (str(v) for k, v in part.attrs.items() if k in ("href", "src"))
            if part.type.startswith("html"):
                yield from re.findall(r'\s(?:href|src|srcset)="([^"]+)"', part.content)


def wrong(page):
    """The links of a page that lead nowhere on GitHub."""
    for link in links(parsed(page)):
        path, _, anchor = link.partition("#")
        if re.match("[a-z]+:", link):
            continue
        target = (ROOT / page).parent.joinpath(path) if path else ROOT / page
        if not target.exists():
            yield link
        elif anchor and target.suffix == ".md":
            there = anchors(target.resolve().relative_to(ROOT).as_posix())
            yield from [link] if anchor not in there else []


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_lead_somewhere(page):
    assert list(wrong(page)) == []


def test_what_leads_nowhere_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "to.md").write_text("# One `two`\n\n## One two\n\n### Two, three: 4\n")
    text = "[a](to.md#one-two) [b](to.md#one-two-1) [c](to.md#two-three-4) [d](to.md#five)\n"
    (tmp_path / "from.md").write_text(text + '[e](no.md) `[f](no.md)` <img src="no.png">\n')
    assert list(wrong("from.md")) == ["to.md#five", "no.md", "no.png"]


@pytest.mark.parametrize("page", PAGES)
def test_headings_are_in_order(page):
    levels = [level for level, _ in headings(parsed(page))]
    assert levels[:1] in ([1], [])
    assert levels.count(1) <= 1
    assert [b for a, b in pairwise(levels) if b > a + 1] == []


def test_the_navigation_has_every_page():
    settings = yaml.safe_load(site.CONFIG.read_text("utf-8"))
    named = list(site.named(settings["nav"]))
    docs = {name for name in PAGES if name.startswith("docs/") and not name.endswith(CHINESE)}
    assert docs - set(named) == set()
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
