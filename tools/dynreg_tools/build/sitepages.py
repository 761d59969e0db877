"""The repository's pages as one tree that MkDocs builds, in English or in Chinese.

Pages link to each other as they lie in the repository, which is what GitHub shows. In the tree
docs/ is the root; what else is linked lies under repository/, and a file that is no page is shown
by one. In the Chinese tree X.zh-CN.md stands at the place of X.md, where there is one.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

from ..errors import ToolError

CHINESE = ".zh-CN.md"
# Before a page of the other language, in a link; sitehook.py, which knows the way there, ends it.
ELSEWHERE = "other-language:"
_UNTRANSLATED = "<blockquote data-search-exclude>本页尚无中文版，以下为英文原文。</blockquote>\n\n"
_ASSETS = (".css", ".gif", ".jpg", ".png", ".svg")
_KINDS = {".py": "python", ".toml": "toml", ".json": "json"}
_CODE = r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
_MARKDOWN = r"(?P<inline>\]\()(?P<link>[^)\s]+)|(?m:^(?P<name>\[[^\]\n]+\]: +)(?P<named>\S+))"
_HTML = r"(?P<attribute>\s(?:src|srcset|href)=\")(?P<value>[^\"]+)"
_LINK = re.compile(f"{_CODE}|{_MARKDOWN}|{_HTML}", re.DOTALL)


def place(name: str) -> str:
    """Where a file lies in the tree; `name` is its path in the repository."""
    name = _plain(name)
    if not name.endswith((".md", *_ASSETS)):
        name += ".md"
    return name.removeprefix("docs/") if name.startswith("docs/") else f"repository/{name}"


class Pages:
    """What the site has of the repository at `source`, in one language."""

    def __init__(self, source: Path, chinese: bool) -> None:
        self._source, self._chinese = source, chinese
        self._wanted: list[str] = []

    def write(self, target: Path, more: list[str]) -> list[str]:
        """Writes docs/, the files `more`, and all that these pages link to: which files."""
        docs = sorted(path for path in (self._source / "docs").rglob("*") if path.is_file())
        names = [path.relative_to(self._source).as_posix() for path in docs]
        self._wanted = [name for name in names if not name.endswith(CHINESE)]
        self._wanted += [
            name for name in more if name not in self._wanted and (self._source / name).exists()
        ]
        for name in self._wanted:  # it grows meanwhile, by what is linked
            path = target / place(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(_ASSETS):
                shutil.copyfile(self._source / name, path)
            elif name.endswith(".md"):
                path.write_text(self.page(name), "utf-8")
            else:
                path.write_text(self._shown(name), "utf-8")
        return self._wanted

    def page(self, name: str) -> str:
        """A page's Markdown in this language, or in English."""
        note = ""
        if self._chinese and self._has_chinese(name):
            name = name.removesuffix(".md") + CHINESE
        elif self._chinese:
            note = _UNTRANSLATED
        text = (self._source / name).read_text("utf-8")
        return note + _LINK.sub(lambda found: self._rewritten(found, name), text)

    def _shown(self, name: str) -> str:
        """A page that shows a file, or what is in a folder."""
        path = self._source / name
        if path.is_dir():
            text = "\n".join(sorted(entry.name for entry in path.iterdir()))
        else:
            text = path.read_text("utf-8")
        kind = _KINDS.get(path.suffix, "text")
        head = f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n"
        return f"{head}``````{kind}\n{text.rstrip()}\n``````\n"

    def _rewritten(self, found: re.Match[str], name: str) -> str:
        """What stands for a link of a page in the tree; code as it is."""
        if found["ticks"]:
            line = found.string[: found.start()].rpartition("\n")[2]
            # Within a table GitHub wants \| even in code, where Python-Markdown would show it.
            return found[0].replace("\\|", "|") if line.startswith("|") else found[0]
        if found["attribute"]:
            link = self._link(found["value"], name)
            return found["attribute"] + re.sub(r"\.md(?=#|$)", ".html", link)
        link = self._link(found["link"] or found["named"], name)
        return (found["inline"] or found["name"]) + link

    def _link(self, link: str, name: str) -> str:
        path, mark, anchor = link.partition("#")
        if not path or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", path):
            return link
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if target.startswith("..") or not (self._source / target).exists():
            raise ToolError(f"{name}: links to {link}, which is not in the repository")
        if (self._source / target / "README.md").is_file():
            target += "/README.md"
        if self._is_elsewhere(target, name, anchor):
            return f"{ELSEWHERE}{place(target)}{mark}{anchor}"
        if _plain(target) not in self._wanted:
            self._wanted.append(_plain(target))
        here = posixpath.dirname(place(name)) or "."
        return posixpath.relpath(place(target), here) + mark + anchor

    def _is_elsewhere(self, target: str, name: str, anchor: str) -> bool:
        """Whether a page of the other language is meant."""
        if not self._chinese or target.endswith(CHINESE):
            return not self._chinese and target.endswith(CHINESE)
        if not self._has_chinese(target):
            return False
        text = (self._source / (target.removesuffix(".md") + CHINESE)).read_text("utf-8")
        return name.endswith(CHINESE) or (anchor != "" and f'id="{anchor}"' not in text)

    def _has_chinese(self, name: str) -> bool:
        return (self._source / (name.removesuffix(".md") + CHINESE)).is_file()


def _plain(name: str) -> str:
    return f"{name.removesuffix(CHINESE)}.md" if name.endswith(CHINESE) else name
