"""The pages' pictures in Chromium: no text is cut, hidden, or on another's place."""

import pytest

from dynreg_tools.sources import ROOT

SVGS = sorted((ROOT / "docs").glob("*.svg"))
# What stands in each other's way: [what, text, other]. A text may lie in a box, not on its edge.
FIND = """() => {
  const ground = document.documentElement.getBoundingClientRect();
  const shown = (element) => {  // not so what an svg within the picture leaves out
    const { y, height } = element.parentElement.closest("svg");
    const { top, bottom } = element.getBoundingClientRect();
    const middle = (top + bottom) / 2 - y.baseVal.value;
    return middle > 0 && middle < height.baseVal.value;
  };
  const within = (box, other, more) =>
    box.left >= other.left - more && box.right <= other.right + more &&
    box.top >= other.top - more && box.bottom <= other.bottom + more;
  const meet = (box, other, less) =>
    box.left < other.right - less && other.left < box.right - less &&
    box.top < other.bottom - less && other.top < box.bottom - less;
  const texts = [...document.querySelectorAll("text")].filter(shown)
    .map((element) => ({ words: element.textContent, box: element.getBoundingClientRect() }));
  const found = [];
  texts.forEach(({ words, box }, at) => {
    if (!within(box, ground, -3)) found.push(["cut", words, ""]);
    for (const other of texts.slice(at + 1))
      if (meet(box, other.box, 2)) found.push(["on", words, other.words]);
    for (const rect of document.querySelectorAll("rect")) {
      const edge = rect.getBoundingClientRect();
      if (meet(box, edge, 2) && !within(box, edge, 0))
        found.push(["across", words, rect.outerHTML]);
    }
    for (const line of document.querySelectorAll("path, polyline"))
      for (let along = 0; along <= line.getTotalLength(); along += 2) {
        const point = line.getPointAtLength(along).matrixTransform(line.getScreenCTM());
        const dot = { left: point.x, right: point.x, top: point.y, bottom: point.y };
        if (meet(dot, box, 2)) { found.push(["crossed", words, line.outerHTML]); break; }
      }
  });
  return { found, texts: texts.length };
}"""


@pytest.fixture
def picture(chromium):
    """Opens an SVG as the page of a browser with these settings."""
    contexts = []

    def opened(path, reduced_motion="reduce", **settings):
        contexts.append(chromium.new_context(reduced_motion=reduced_motion, **settings))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", SVGS, ids=lambda path: path.name)
def test_no_text_is_cut_or_hidden(picture, path):
    seen = picture(path, viewport={"width": 1280, "height": 2000}).evaluate(FIND)
    assert seen["found"] == []
    assert seen["texts"] > 5


@pytest.mark.parametrize("body", ['<text x="20" y="30">there</text>', '<path d="M0 20H90"/>'])
def test_what_is_on_another_is_found(picture, tmp_path, body):
    """The test above, with a text and a line on another text, and that text beyond the edge."""
    (tmp_path / "bad.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60" stroke="red">'
        f'<text x="10" y="25">longer than the picture is</text>{body}</svg>'
    )
    found = picture(tmp_path / "bad.svg").evaluate(FIND)["found"]
    assert {what for what, *_ in found} >= {"cut"}
    assert len({what for what, *_ in found}) == 2


@pytest.mark.parametrize("path", SVGS, ids=lambda path: path.name)
def test_a_dark_system_has_a_dark_picture(picture, path):
    fills = set()
    for scheme in ("light", "dark"):
        page = picture(path, color_scheme=scheme)
        fills.add(page.evaluate("getComputedStyle(document.querySelector('rect')).fill"))
    assert fills == {"rgb(255, 255, 255)", "rgb(13, 17, 23)"}


ROWS = """(seconds) => {
  for (const animation of document.getAnimations()) {
    animation.pause();
    animation.currentTime = 1000 * seconds;
  }
  const cover = document.querySelector(".cover").getBoundingClientRect();
  const screen = document.querySelector("svg > svg").y.baseVal.value;
  return [...document.querySelectorAll("text")].filter((text) => {
    const { top, bottom } = text.getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return middle > screen && !(middle > cover.top && middle < cover.bottom) && middle < 660;
  }).map((text) => text.textContent);
}"""


def test_the_recording_begins_as_a_still_plays_and_ends_there(picture):
    page = picture(ROOT / "docs" / "demo.svg", reduced_motion="no-preference")
    still, prompt, *_, end = (page.evaluate(ROWS, at) for at in (0, 1.3, 5, 1000))
    assert [row[:10] for row in prompt] == ["$ ./dev de"]
    assert still[-1] == "secrets in anything printed: none"
    assert len(still) > 30
    assert end == still


def test_who_wants_no_motion_has_none(picture):
    page = picture(ROOT / "docs" / "demo.svg")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate(ROWS, 0)[-1] == "secrets in anything printed: none"
