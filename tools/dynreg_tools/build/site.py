"""The site of docs/, in English and Chinese. Run as `python -m dynreg_tools.build.site`.

It is built without a network into .cache/site, and loads nothing from elsewhere when it is read.
A link or an anchor that leads nowhere is an error, and so is a page that mkdocs.yml does not name.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

from ..errors import ToolError
from ..sources import CACHE, ROOT
from . import sitepages

SITE = CACHE / "site"
CONFIG = ROOT / "mkdocs.yml"
PORT = 8450
EXAMPLE = """
examples:
  ./dev docs              both languages, into .cache/site
  ./dev docs --serve      and shows them on loopback, built again whenever a page changes
"""
_NAMES = {"en": "English", "zh": "中文"}
_CHINESE = "zh-CN"
_NOISE = ("INFO", "Building prefix dict", "Loading model", "Dumping model", "Prefix dict")
_OUTSIDE = ("*.md", "examples", "firmware")  # besides docs/, what has pages


def configuration(settings: dict[str, Any], language: str, work: Path) -> dict[str, Any]:
    """MkDocs' own file for one language; `settings` are those of mkdocs.yml."""
    words = settings["extra"]["chinese"] if language == "zh" else {}
    links = [{"name": name, "lang": lang, "link": ""} for lang, name in _NAMES.items()]
    return {
        "INHERIT": str(CONFIG),
        "docs_dir": str(work / language),
        "site_dir": str(work / f"{language}-site"),
        "theme": {"language": language},
        "hooks": [str(Path(__file__).with_name("sitehook.py"))],
        "not_in_nav": "/repository/",
        "nav": list(_nav(settings["nav"], words)),
        "extra": {"alternate": links, "other": f"{_CHINESE}/" if language == "en" else "../"},
    }


def named(nav: list[Any]) -> Iterator[str]:
    """The pages that a navigation names, as paths from the repository."""
    for entry in nav:
        for value in entry.values():
            if isinstance(value, str):
                yield os.path.normpath(f"docs/{value}")
            else:
                yield from named(value)


def _nav(nav: list[Any], words: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A navigation with its places in the tree, its titles as `words` has them."""
    for entry in nav:
        for title, value in entry.items():
            shown = words.get(title) or title
            if isinstance(value, list):
                yield {shown: list(_nav(value, words))}
            else:
                yield {shown: sitepages.place(os.path.normpath(f"docs/{value}"))}


def build() -> dict[str, Any]:
    """Builds both languages into SITE; what came of it. ToolError names each broken page."""
    import yaml

    began = time.monotonic()
    settings = yaml.safe_load(CONFIG.read_text("utf-8"))
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="site-", dir=CACHE) as folder:
        work = Path(folder)
        _write_trees(work, list(named(settings["nav"])))
        runs = []
        for language in _NAMES:
            config = work / f"{language}.yml"
            text = json.dumps(configuration(settings, language, work))  # which is YAML as well
            config.write_text(text, "utf-8")
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config]
            # What finds words in Chinese keeps what it has read, and trusts it: not in /tmp.
            environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "TMPDIR": str(CACHE)}
            runs.append(
                subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
                )
            )
        said = [run.communicate()[0].decode() for run in runs]
        if any(run.returncode for run in runs):
            lines = [line for text in said for line in text.splitlines() if line]
            wrong = dict.fromkeys(line for line in lines if not line.startswith(_NOISE))
            raise ToolError("\n".join(["the site was not built:", *wrong]))
        site = work / "en-site"
        (work / "zh-site").rename(site / _CHINESE)
        wrong = list(broken(site))
        if wrong:
            raise ToolError("\n".join(["links that lead nowhere:", *wrong]))
        counts = {name: len(list((work / name).rglob("*.md"))) for name in _NAMES}
        shutil.rmtree(SITE, ignore_errors=True)
        site.rename(SITE)
    return {"site": str(SITE), "pages": counts, "seconds": round(time.monotonic() - began, 1)}


def _write_trees(work: Path, wanted: list[str]) -> None:
    """Both languages' pages, the same in each: what one links to, the other has too."""
    before = 0
    while len(wanted) > before:
        before = len(wanted)
        for language in _NAMES:
            pages = sitepages.Pages(ROOT, chinese=language == "zh")
            wanted = pages.write(work / language, wanted)


def broken(site: Path) -> Iterator[str]:
    """The links within a site to files that it has not."""
    for page in sorted(site.rglob("*.html")):
        for link in set(re.findall(r'\s(?:href|src|srcset)="([^"#?]+)', page.read_text("utf-8"))):
            if not re.match("[a-z]+:|/", link) and not (page.parent / link).exists():
                yield f"  {page.relative_to(site)}: {link}"


def bound(port: int) -> ThreadingHTTPServer:
    """What serves the site on loopback."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(SITE)))
    except OSError as error:
        raise ToolError(
            f"port {port} cannot be had ({error.strerror}): give another --port"
        ) from None


def serve(server: ThreadingHTTPServer, as_json: bool) -> None:
    """Shows the site until Ctrl-C, and builds it again whenever a page changes."""
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        print(json.dumps({"ready": True, "url": url}) if as_json else url, flush=True)
        seen = _state()
        while True:
            time.sleep(1)
            if (now := _state()) != seen:
                seen = now
                _again()


def _again() -> None:
    try:
        _say(f"built again in {build()['seconds']} s: reload the page")
    except ToolError as error:
        _say(str(error))


def _state() -> dict[Path, float]:
    """When each file that the site is made of was written."""
    files = [CONFIG, *(ROOT / "docs").rglob("*")]
    for pattern in _OUTSIDE:
        files += ROOT.glob(pattern if "*" in pattern else f"{pattern}/*.md")
    found = {}
    for path in files:
        with suppress(OSError):  # an editor has just moved it
            found[path] = path.stat().st_mtime
    return found


class Quiet(SimpleHTTPRequestHandler):
    """Files, without a line on the terminal for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="dev docs",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--serve", action="store_true", help="show it in a browser, until Ctrl-C")
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"of --serve; {PORT} unless given, 0: any"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    if not 0 <= options.port <= 65535:
        parser.error(f"--port {options.port} is no port: give one of 0 to 65535")
    try:
        for module in ("material", "jieba", "yaml"):
            if find_spec(module) is None:
                raise ToolError(f"it needs {module}: pip install -e '.[docs]', or ./dev setup")
        server = bound(options.port) if options.serve else None
        result = build()
        if options.json:
            print(json.dumps(result), flush=True)
        else:
            pages = ", ".join(
                f"{count} pages in {_NAMES[n]}" for n, count in result["pages"].items()
            )
            print(f"{pages}, in {result['seconds']} s: {SITE / 'index.html'}", flush=True)
        if server:
            serve(server, options.json)
    except ToolError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 0 if options.serve else 130
    return 0


def _say(text: str) -> None:
    print(f"dev docs: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
