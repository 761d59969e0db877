"""docs/api.md, from the stubs (signatures), the sources (docstrings, error codes) and examples/.

`python -m tests_host.api_page.api` writes it; test_api.py holds it.
"""

import re
import sys
from pathlib import Path

from dynreg_tools import sources
from tests_host.api_page import library, raises

PAGE = sources.ROOT / "docs" / "api.md"
EXAMPLES = Path(__file__).parent / "examples"
_HEAD = """# API

Every public name of the library on the board. How a program of your own is written stands in
[guide.md](guide.md), what each service is for in [services.md](services.md), what each error code
asks of you in [errors.md](errors.md), every time-out in [timeouts.md](timeouts.md).

This page is written from the code by `python -m tests_host.api_page.api`, and a test holds it:
signatures are those of the type stubs, texts those of the docstrings, and error codes are read
from all that a function calls. Not each of its codes can come of every call: arguments rule some
out.

**Types.** `pip install dynreg` in the Python that your editor uses brings the stubs: VS Code,
PyCharm, pyright and mypy then know these signatures in a main.py on your computer, beside
MicroPython's own (`pip install micropython-esp32-stubs`). Pyright notes that the sources are not
on that computer: `"reportMissingModuleSource": false` in pyrightconfig.json ends that. No
annotation is needed on the board. What is not on this page is internal, whatever its name.

**Everywhere:** `ms` are milliseconds, `keepalive` is seconds, sizes are bytes. A message is `str`
(sent as UTF-8), `bytes`, `bytearray` or `memoryview`, 16,384 bytes at most; what comes in is
`bytes`. A topic has 255 bytes at most; a `name` without `/` and `$` stands for
`{{productId}}/{{deviceName}}/name`. Time is Unix milliseconds where a name says `ms`, else Unix
seconds; 0 where the clock is not set.

{contents}
"""
BEFORE = r"(?<![\w`./{\"])"  # no part of a word, of code, of a path
# (title, words before the example, module, its names or all, example)
_CORE = [
    (
        "Device",
        "Where a program begins: `from dynreg import Device`.",
        "device",
        ["Device"],
        "device",
    ),
    ("Session", "What `Device.connect()` returns.", "mqtt.session", ["Session"], "session"),
    (
        "DeviceInfo",
        "What device_info.json says, as `device.info`; "
        "[its keys](device_info.md). To be read, not to be changed.",
        "device",
        ["DeviceInfo", "Endpoint"],
        "info",
    ),
    (
        "Errors",
        "All in `dynreg`; [what to do about each code](errors.md).",
        "errors",
        ["DynregError"],
        "errors",
    ),
    (
        "Time and waits",
        "`unix_time` is in `dynreg` too, the rest in `dynreg.port`.",
        "port",
        [],
        "time",
    ),
    (
        "Log",
        "`dynreg.log`: one line a step on the serial console, never a secret.",
        "log",
        [],
        "log",
    ),
]


def services() -> list[str]:
    """Every service but the façade's."""
    return [name for name in sources.services() if name not in facade()]


def facade() -> list[str]:
    """The services that are the vendor's names."""
    return [name for name in sources.services() if name.startswith("vendor")]


def page() -> str:
    parts = []
    for title, words, module, wanted, example in _CORE:
        found = library.read(module)
        names = [name for name in found.names if not wanted or name.name in wanted]
        attributes = [] if wanted else found.attributes
        text = _section(title, words, names, attributes, example)
        parts.append((title, text + (_classes(found.names) if module == "errors" else "")))
    for name in services():
        found = library.read(f"services.{name}")
        words, _, _ = found.doc.partition("\n\n")
        words = f"`dynreg.services.{name}`. {_prose(words)} [More]({_more(words)})."
        parts.append((name, _section(name, words, found.names, found.attributes, name)))
    parts.append(("The vendor's names", _facade()))
    parts.append(("Registering anew", _forget()))
    parts.append(("Codes that no call raises", _unraised()))
    contents = " · ".join(f"[{title}](#{_anchor(title)})" for title, _ in parts)
    return _HEAD.format(contents=contents) + "".join(text for _, text in parts)


def public() -> list[library.Name]:
    """Every class, function, method and property of the page, the façade's aside."""
    found = [
        name
        for _, _, module, wanted, _ in _CORE
        for name in library.read(module).names
        if not wanted or name.name in wanted or module == "errors"
    ]
    found += [name for service in services() for name in library.read(f"services.{service}").names]
    return [one for name in found for one in [name, *name.members]]


def _more(words: str) -> str:
    """The page that a service's first sentence names, else that of all services."""
    found = re.search(r"docs/((?!protocol)[a-z_]+\.md)", words)
    return found[1] if found else "services.md"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


def _section(title: str, words: str, names: list, attributes: list, example: str) -> str:
    text = f"\n## {title}\n\n{words}\n\n{_example(example)}{_table(attributes)}"
    service = names[0].module.partition("services.")[2]
    for name in names:
        under = "###" if name.name == title else "####"  # whose members they are
        for one in [name, *name.members]:
            whole = f"{service}.{one.name}" if service else one.name
            level = under if "." in one.name else "###"
            heading = "" if whole == title else f"\n{level} {whole}\n"
            text += heading + _entry(one) + _table(one.attributes)
    return text


def _example(name: str) -> str:
    code = (EXAMPLES / f"{name}.py").read_text("utf-8")
    return f"```python\n{code}```\n"


def _table(attributes: list[tuple[str, str]], head: str = "attribute") -> str:
    if not attributes:
        return ""
    rows = "".join(f"| `{name}` | `{_cell(kind)}` |\n" for name, kind in attributes)
    return f"\n| {head} | type |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _entry(name: library.Name) -> str:
    code = "\n".join(name.signatures)
    text = f"\n```pyi\n{code}\n```\n\n{_named(name)}\n"
    for kind, keys in name.dicts:  # what it takes or returns, by key
        text += _table(keys, f"`{kind}` has")
    return text if name.module == "errors" else text + _codes(name)


def _codes(name: library.Name) -> str:
    """What a call may raise; of a class its making."""
    kinds: dict[str, list[str]] = {}
    for one in sorted(raises.raised(name.module, name.name)):
        kinds.setdefault(one.kind, []).append(f"`{one.code}`")
    if not kinds:
        return ""
    words = "; ".join(f"{kind} {', '.join(dict.fromkeys(kinds[kind]))}" for kind in sorted(kinds))
    return f"\n[Errors](errors.md): {words}.\n"


def _classes(names: list[library.Name]) -> str:
    text = "\n| class | what | codes |\n|---|---|---|\n"
    made = raises.every_error()
    for name in names:
        codes = [
            f"`{code}`" for code in sorted({one.code for one in made if one.kind == name.name})
        ]
        text += (
            f"| `{name.name}` | {_prose(name.doc.partition(chr(10))[0])} | {', '.join(codes)} |\n"
        )
    return text


def _named(name: library.Name) -> str:
    """Its docstring, with its arguments, attributes and keys in the type of code."""
    keys = [key for _, keys in name.dicts for key, _ in keys]
    words = {*keys, *dict(name.attributes), *re.findall(r"(\w+): ", "\n".join(name.signatures))}
    text = _prose(name.doc)
    for word in words:
        end = "" if "_" in word else "(?=:)"
        text = re.sub(BEFORE + rf"({word})\b(?![`\w]){end}", r"`\1`", text)
    return text


def _prose(doc: str) -> str:
    """A docstring as Markdown."""
    text = "\n\n".join(" ".join(block.split()) for block in doc.split("\n\n"))
    text = re.sub(r"(?<![\w`.])((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*\(\))", r"`\1`", text)
    text = re.sub(r"docs/([a-z_]+\.md)", r"[\1](\1)", text)
    text = re.sub(r"(?<![\w`])(\{[a-z_]\w*\}(/\{\w+\})*(/\w+)?)", r"`\1`", text)
    return text.replace("<", "&lt;").replace("*", "\\*")


def _facade() -> str:
    text = "\n## The vendor's names\n\n"
    text += (
        "For programs written for the vendor's Python SDK ([protocol.md](protocol.md)): results "
        "are `(0, …)` or `(-1, …)`, and nothing of dynreg is raised but where `QcloudHub()` is "
        "made. Where a row says nothing more, it is as with the vendor.\n\n" + _example("facade")
    )
    modules = [(f"dynreg.services.{name}", f"services.{name}", "dynreg") for name in facade()]
    theirs = {name.name for _, module, _ in modules for name in library.read(module).names}
    for title, module, package in [("hub.hub", "hub", "hub"), *modules]:
        text += f"\n### {title}\n\n| name | where it differs, or what it adds |\n|---|---|\n"
        for name in library.read(module, package).names:
            for one in [name, *name.members]:
                if title == "hub.hub" and one.name.partition(".")[2] in theirs:
                    continue
                words = _cell(_prose(one.doc).replace("\n\n", " "))
                text += f"| `{_cell(_short(one))}` | {words} |\n"
    return text


def _short(name: library.Name) -> str:
    """The call as a program writes it: arguments by name and default, no types."""
    code = name.signatures[0]
    inner = code[code.find("(") + 1 : code.rfind(")")] if "(" in code else ""
    words = []
    for one in library._split(inner.strip().rstrip(",")):
        value = one.rpartition("=")[2].strip() if re.search(r" ?= ?[^=>]+$", one) else ""
        word = one.partition(":")[0].strip()
        words.append(f"{word}={value}" if value else word)
    return f"{name.name}({', '.join(words)})" if "(" in code else name.name


def _forget() -> str:
    return (
        "\n## Registering anew\n\nErases what the board has of its credential, and cannot be "
        f"taken back; [what the cloud must do besides](credentials.md).\n\n{_example('forget')}"
    )


def unraised() -> list[str]:
    """Codes that the library makes, and that no call on this page raises."""
    said = {code for name in public() for code in raises.codes(name.module, name.name)}
    return sorted({one.code for one in raises.every_error()} - said)


def _unraised() -> str:
    listed = ", ".join(f"`{code}`" for code in unraised())
    return (
        "\n## Codes that no call raises\n\nThey are in the log: `poll()` heals a lost connection, "
        f"and what becomes of an update the cloud is told: {listed}.\n"
    )


def main() -> int:
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
