"""Hatchling's hook for what pyproject.toml cannot say: addresses, and README.md outside a clone.

The repository's address stands once, in pyproject.toml below [tool.hatch.metadata.hooks.custom].
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PLACEHOLDER = "<repository>"  # how pages write the address
_PICTURES = (".gif", ".jpg", ".png", ".svg", ".webp")
# Code stays as it is; then links and pictures of Markdown, of a reference, of HTML.
_LINK = re.compile(
    r"(?P<code>^```.*?^```|``.+?``|`[^`\n]+`|^ {4}[^\n]*$)"
    r"|(?P<before>\]\(|^\[[^\]\n]+\]:\s+|\b(?:src|srcset|href)=\")(?P<target>[^\s)\"]+)",
    re.MULTILINE | re.DOTALL,
)


def absolute(text: str, repository: str, tag: str) -> str:
    """Markdown with each link that is relative to the repository's root led to it, at a tag."""

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if found["code"] or re.match(r"[a-z][a-z0-9+.-]*:|#|//", target):
            return found[0]
        kind = "raw" if target.partition("#")[0].endswith(_PICTURES) else "blob"
        return f"{found['before']}{repository}/{kind}/{tag}/{target.removeprefix('./')}"

    return _LINK.sub(link, text).replace(PLACEHOLDER, repository)


class Metadata(MetadataHookInterface):
    """Adds `urls` and `readme` to the project's metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        repository = self.config["repository"].rstrip("/")
        tag = f"v{metadata['version']}"
        metadata["urls"] = {
            "Homepage": repository,
            "Documentation": f"{repository}/blob/{tag}/docs/index.md",
            "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
            "Source": repository,
            "Issues": f"{repository}/issues",
        }
        text = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, repository, tag),
        }
