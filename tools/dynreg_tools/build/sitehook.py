"""What MkDocs calls for each page of the site: the links to the other language.

mkdocs.yml, as site.py writes it, names this file; `extra.other` is the way to the other
language's pages from the root of these.
"""

from __future__ import annotations

import re
from typing import Any

_LINK = re.compile(r'"other-language:([^"#]+?)\.(?:md|html)([^"]*)"')
# For these Material's script looks for a sitemap beside each page; without a host there is none.
_HEAD = re.compile(r'\s*<link rel="alternate" [^>]*hreflang=[^>]*>')


def slug(heading: str, _: str) -> str:
    """A heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def on_config(config: Any) -> Any:
    """Anchors that are right on GitHub are right here."""
    config.mdx_configs["toc"]["slugify"] = slug
    return config


def on_page_context(context: Any, page: Any, config: Any, **_: Any) -> Any:
    """The menu of languages leads to the same page, not to the first."""
    for language in config.extra["alternate"]:
        own = language["lang"] == config.theme["language"]
        language["link"] = page.url if own else f"other-language:{page.url}"
    return context


def on_post_page(output: str, page: Any, config: Any) -> str:
    """A page's HTML, with the links that were left open."""
    root = "../" * page.url.count("/") + config.extra["other"]

    def closed(found: re.Match[str]) -> str:
        path = re.sub(r"(^|/)README$", r"\1index", found[1])
        return f'"{root}{path}.html{found[2]}"'

    return _LINK.sub(closed, _HEAD.sub("", output))
