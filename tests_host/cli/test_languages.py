"""Each translation, X.zh-CN.md, says what its English page says: code, commands, figures, links.

The first difference is one sentence with its line; tests_host/languages.py knows what is compared.
`DYNREG_GOLDEN=write ./dev test tests_host/cli/test_languages.py` copies code that has no comments.
"""

import os

import pytest

from dynreg_tools.sources import ROOT
from tests_host.languages import END, ONLY, SUFFIX, first_difference, with_code

PAGES = sorted([*ROOT.glob(f"*{SUFFIX}"), *(ROOT / "docs").glob(f"*{SUFFIX}")])

ENGLISH = """# Title

Press `RESET` within 5 s, then run 'dynreg deploy' and read [the codes](errors.md#all);
main.py shows how, over TLS.

| code | again |
|---|---|
| `config` | never |

    ./dev board run .cache/board    # until Ctrl-C

## <a id="more"></a>More
"""
CHINESE = """# 标题

5 秒内按 `RESET`，再运行 `dynreg deploy`，读[错误码](errors.zh-CN.md#all)；见 main.py，走 TLS。

| 错误码 | 重试 |
|---|---|
| `config` | 不重试 |

    ./dev board run .cache/board    # 直到 Ctrl-C

## <a id="more"></a>更多
"""
# What is changed in the translation: the line, and what the test then says of it.
MUTATIONS = {
    ("`RESET`", "`BOOT`"): (
        "3: code span missing: RESET; code span that the English page has not: BOOT (page.md:3)"
    ),
    ("，再运行 `dynreg deploy`", ""): "3: code span missing: dynreg deploy (page.md:3)",
    ("5 秒", "50 秒"): (
        "3: figure missing: 5 秒; figure that the English page has not: 50 秒 (page.md:3)"
    ),
    ("5 秒", "5 分钟"): (
        "3: figure missing: 5 秒; figure that the English page has not: 5 分钟 (page.md:3)"
    ),
    ("见 main.py", "见程序"): "3: name missing: main.py (page.md:3)",
    ("走 TLS", "加密"): "3: abbreviation missing: TLS (page.md:3)",
    ("errors.zh-CN.md#all", "errors.md#all"): (
        "3: the link to errors.md leads past errors.zh-CN.md (page.md:3)"
    ),
    ("#all", "#none"): (
        "3: link missing: errors.md#all; "
        "link that the English page has not: errors.md#none (page.md:3)"
    ),
    ("| `config` |", "| `argument` |"): (
        "7: code span missing: config; "
        "code span that the English page has not: argument (page.md:8)"
    ),
    ("| 不重试 |", "| 很快 |"): (
        "7: 很快 stands where the English page says never: 不重试 (page.md:8)"
    ),
    ("| `config` | 不重试 |\n", ""): (
        "8: there is <code> where the English page has <table tbody tr td> (page.md:8)"
    ),
    (".cache/board ", ".cache/other "): (
        "9: code differs: ./dev board run .cache/other (page.md:10)"
    ),
    ("# 直到", "# 5 秒后，直到"): ("9: figure that the English page has not: 5 秒 (page.md:10)"),
    ("## <a", "### <a"): "11: there is <h3> where the English page has <h2> (page.md:12)",
    ("更多\n", "更多\n\n还有。\n"): "13: page.md ends before this",
    ('\n## <a id="more"></a>更多\n', ""): " it ends where page.md:12 goes on",
    ("标题", "The title that nobody translated"): (
        "1: not translated: The title that nobody translated (page.md:1)"
    ),
    ("再运行", "再 运行"): (
        "3: a space stands within Chinese text: 秒内按 `…`，再 运行 `…`，读错 (page.md:3)"
    ),
    ("见 main", "见main"): (
        "3: a space is missing between Chinese and Latin text: ，读错误码；见main.py (page.md:3)"
    ),
    ("见 main.py，", "**见 main.py，**"): (
        "3: bold is shown as asterisks: its end stands between a punctuation mark and a letter: "
        "，读错误码；**见 main (page.md:3)"
    ),
    ("，走", ", 走"): (
        "3: a punctuation mark beside Chinese is half-width: ain.py, 走 TLS。 (page.md:3)"
    ),
    ("；见", "；\n见"): (
        "3: a line ends within Chinese text, which is shown as a space: '；\\n见' (page.md:3)"
    ),
}


@pytest.fixture
def compare(tmp_path):
    """first_difference() of a page and its translation beside a translated page of errors."""

    def compared(english, chinese):
        (tmp_path / "errors.md").write_text("# Errors\n", "utf-8")
        anchor = '# <a id="all"></a>错误码\n'
        (tmp_path / "errors.zh-CN.md").write_text(anchor, "utf-8")
        page, translation = tmp_path / "page.md", tmp_path / "page.zh-CN.md"
        page.write_text(english, "utf-8")
        translation.write_text(chinese, "utf-8")
        return first_difference(page, translation)

    return compared


def test_the_pages_that_are_translated():
    expected = {"README.zh-CN.md", "docs/start.zh-CN.md", "docs/errors.zh-CN.md"}
    assert expected - {path.relative_to(ROOT).as_posix() for path in PAGES} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_translation_is_equal_to_its_page(page):
    english = page.with_name(page.name.replace(SUFFIX, ".md"))
    if os.environ.get("DYNREG_GOLDEN") == "write":
        text = with_code(english.read_text("utf-8"), page.read_text("utf-8"))
        page.write_text(text, "utf-8")
    assert first_difference(english, page) == ""


def test_equal_pages_have_no_difference(compare):
    assert compare(ENGLISH, CHINESE) == ""


@pytest.mark.parametrize("change", MUTATIONS, ids=lambda change: f"{change[0]} > {change[1]}"[:40])
def test_a_difference_is_one_sentence_with_its_line(compare, change):
    assert compare(ENGLISH, CHINESE.replace(*change)) == f"page.zh-CN.md:{MUTATIONS[change]}"


def test_an_anchor_that_a_translated_page_has_not(compare):
    english = ENGLISH.replace("#all", "#other")
    assert compare(english, CHINESE.replace("#all", "#other")) == (
        'page.zh-CN.md:3: errors.zh-CN.md has no <a id="other"></a> (page.md:3)'
    )


def test_code_is_copied_into_a_translation():
    chinese = "运行：\n\n    ./dev a\n    ./dev b  # 现在\n\n1. 输出\n\n        0.1 s\n"
    english = (
        "Run:\n\n    ./dev a\n    ./dev c  # now\n\n1. It says\n\n        0.2 s\n        end\n"
    )
    assert with_code(english, chinese) == chinese.replace("0.1 s\n", "0.2 s\n        end\n")


def test_a_month_is_a_number_in_chinese(compare):
    assert compare("It is of 24 November 2026.\n", "写于 2026 年 11 月 24 日。\n") == ""


def test_what_is_for_one_language_only_is_not_compared(compare):
    glossary = f"{ONLY}\n\n## 术语\n\n| 中文 | 英文 |\n|---|---|\n| 凭证 | credential |\n\n{END}\n"
    assert compare(ENGLISH, f"{CHINESE}\n{glossary}") == ""


def test_the_first_line_of_readme_leads_to_the_other_language():
    for name, other in (("README.md", "README.zh-CN.md"), ("README.zh-CN.md", "README.md")):
        assert f"]({other})" in (ROOT / name).read_text("utf-8").partition("\n")[0]
