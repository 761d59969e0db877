"""The docstrings of lib/ in the type stubs, for editors that show them.

`python -m tests_host.api_page.stubdocs` writes them; test_stubs.py holds them.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests_host.api_page import library

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def stubs() -> Iterator[tuple[Path, str, str]]:
    """(file, module, package) of each stub of a public module."""
    for path in sorted(library.STUBS.rglob("*.pyi")):
        package, *parts = path.relative_to(library.STUBS).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        if module and path.stat().st_size and not path.name.startswith("_replies"):
            yield path, module, package.removesuffix("-stubs")


def nodes(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """("Queue.put", its node) for each class, function and method of a stub."""
    for node in tree.body:
        if isinstance(node, Documented):
            yield node.name, node
            for part in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(part, Documented):
                    yield f"{node.name}.{part.name}", part


def docs(module: str, package: str) -> dict[str, str]:
    """{name: docstring in lib/}, of those that have one."""
    every = [one for name in library.read(module, package).names for one in [name, *name.members]]
    return {one.name: one.doc for one in every if one.doc}


def written(path: Path, module: str, package: str) -> str:
    """The stub with these docstrings."""
    lines = path.read_text("utf-8").splitlines()
    known = docs(module, package)
    for name, node in reversed(list(nodes(ast.parse("\n".join(lines))))):
        if name not in known:
            continue
        first = node.body[0]
        value = first.value if isinstance(first, ast.Expr) else None
        begin = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
        indent = " " * (node.col_offset + 4)
        text = _text(known[name], indent)
        if not isinstance(value, ast.Constant):  # a class's first member
            lines[begin:begin] = text
        elif value.value is ...:
            head, _, comment = lines[begin].partition(": ...")
            lines[begin] = f"{head}:{comment}"
            lines[begin + 1 : begin + 1] = text
        else:
            assert first.end_lineno
            lines[begin : first.end_lineno] = text
    return "\n".join(lines) + "\n"


def _text(doc: str, indent: str) -> list[str]:
    body = [(indent + line).rstrip() for line in doc.replace("\\", "\\\\").split("\n")]
    body[0] = f'{indent}"""{body[0].strip()}'
    if len(body) == 1:
        return [body[0] + ' """' if body[0].endswith('"') else body[0] + '"""']
    return [*body, f'{indent}"""']


def main() -> int:
    for path, module, package in stubs():
        path.write_text(written(path, module, package), "utf-8")
    return subprocess.run([sys.executable, "-m", "ruff", "format", "-q", library.STUBS]).returncode


if __name__ == "__main__":
    sys.exit(main())
