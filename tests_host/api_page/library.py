"""The public names of lib/: those of the stubs, with the docstrings of the sources."""

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dynreg_tools import sources

STUBS = sources.ROOT / "tools" / "stubs"
_INDENT = "    "


@dataclass
class Name:
    """A class, function, property or method: how it is called, what its docstring says."""

    module: str  # below dynreg or hub: "services.queue"
    name: str  # "Queue.put"
    signatures: list[str]  # in Python, without the body; several for overloads
    doc: str
    members: list["Name"] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)  # (name, type)
    dicts: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)  # of TypedDicts


@dataclass
class Module:
    """One stub: its classes and functions, in its order; constants as attributes."""

    module: str
    doc: str
    names: list[Name]
    attributes: list[tuple[str, str]]


def stub(module: str, package: str = "dynreg") -> Path:
    """The .pyi of a module below dynreg or hub."""
    folder = STUBS / f"{package}-stubs"
    path = folder.joinpath(*module.split("."))
    return path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi")


def source(module: str, package: str = "dynreg") -> Path:
    path = (sources.LIB / package).joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def read(module: str, package: str = "dynreg") -> Module:
    tree = parsed(stub(module, package))
    code = parsed(source(module, package))
    own = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    names = _names(own, code, module, package, "")
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and "TypedDict" in map(ast.unparse, node.bases):
            for name in [one for top in names for one in [top, *top.members]]:
                if any(
                    node.name in text
                    for text in [*name.signatures, *dict(name.attributes).values()]
                ):
                    name.dicts.append((node.name, attributes(node)))
    return Module(module, ast.get_docstring(code) or "", names, attributes(tree))


def _names(
    nodes: list[ast.stmt], code: ast.AST, module: str, package: str, prefix: str
) -> list[Name]:
    found: dict[str, Name] = {}
    for node in nodes:
        assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name in found:  # one more overload
            found[node.name].signatures.append(_signature(node))
            continue
        own = _definition(code, node.name)
        name = Name(module, prefix + node.name, [_signature(node)], _doc(own, code))
        found[node.name] = name
        if isinstance(node, ast.ClassDef):
            name.members, name.attributes = _of_class(node, module, package)
    return list(found.values())


def _of_class(node: ast.ClassDef, module: str, package: str) -> tuple:
    """(methods and properties, attributes) of a class, its bases' first."""
    members: list[Name] = []
    theirs: list[tuple[str, str]] = []
    for base in node.bases:
        place = _base(ast.unparse(base), module, package)
        if place:
            inherited, more = _of_class(_stub_class(*place, package), place[0], package)
            for member in inherited:
                own_name = f"{node.name}.{member.name.partition('.')[2]}"
                members.append(Name(module, own_name, member.signatures, member.doc))
            theirs += more
    parts = [
        part
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
        and not part.name.startswith("_")
    ]
    code = parsed(source(module, package))
    own = _definition(code, node.name) or ast.Module([], [])
    mine = _names(parts, own, module, package, node.name + ".")
    inherited_docs = {member.name: member.doc for member in members}
    for member in mine:
        member.doc = member.doc or inherited_docs.get(member.name, "")
    named = {member.name for member in mine}
    members = [member for member in members if member.name not in named] + mine
    return members, theirs + attributes(node)


def _stub_class(module: str, name: str, package: str) -> ast.ClassDef:
    for node in parsed(stub(module, package)).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise LookupError(f"{module}: no class {name}")


def _base(text: str, module: str, package: str) -> tuple[str, str] | None:
    """Where a class that is written so in a stub is: (module, name); None: not in lib/."""
    first, _, rest = text.partition(".")
    tree = parsed(stub(module, package))
    if any(getattr(part, "name", None) == first for part in tree.body):
        return module, first
    parts = module.split(".")
    if not stub(module, package).name.startswith("__init__"):
        parts = parts[:-1]
    for part in tree.body:
        if isinstance(part, ast.ImportFrom) and part.level:
            for name in part.names:
                if name.name == first:
                    base = parts[: len(parts) - part.level + 1]
                    base += part.module.split(".") if part.module else []
                    return (".".join([*base, first]), rest) if rest else (".".join(base), first)
    return None


def attributes(node: ast.ClassDef | ast.Module) -> list[tuple[str, str]]:
    return [
        (ast.unparse(part.target), _text(part.value or part.annotation))
        for part in node.body
        if isinstance(part, ast.AnnAssign) and not ast.unparse(part.target).startswith("_")
    ]


def _signature(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The def without its body, as it stands in the stub; a class as it is called."""
    if isinstance(node, ast.ClassDef):
        init = [n for n in node.body if getattr(n, "name", "") == "__init__"]
        return f"class {node.name}{_arguments(init[0]) if init else ''}"  # pyright: ignore
    if any(ast.unparse(mark) == "property" for mark in node.decorator_list):
        assert node.returns
        return f"{node.name}: {_text(node.returns)}"
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    assert node.returns
    return f"{word} {node.name}{_arguments(node)} -> {_text(node.returns)}"


def _arguments(node: ast.FunctionDef) -> str:
    """Those without self, one a line where they do not fit into one."""
    args = node.args
    bound = args.args[:1] and args.args[0].arg == "self"
    if bound:
        args.args = args.args[1:]
    parts = [re.sub(r"^(\w+: .*?)=(?!.*[)\]]$)", r"\1 = ", one) for one in _split(_text(args))]
    if bound:
        args.args = [ast.arg("self"), *args.args]
    text = ", ".join(parts)
    if len(text) < 70:
        return f"({text})"
    return "(\n" + "".join(f"{_INDENT}{one},\n" for one in parts) + ")"


def _text(node: ast.AST) -> str:
    """Python as this project formats it."""
    return ast.unparse(node).replace("'", '"')


def _split(text: str) -> list[str]:
    """Arguments at the commas that no bracket encloses."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [one.strip() for one in found]


def _definition(code: ast.AST, name: str) -> ast.AST | None:
    for node in getattr(code, "body", []):
        if getattr(node, "name", None) == name:
            return node
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    return None


def _doc(node: ast.AST | None, code: ast.AST) -> str:
    """The docstring; of `name = _made(…)` that of _made."""
    if isinstance(node, ast.Call | ast.Name):
        maker = _definition(code, ast.unparse(getattr(node, "func", node)))
        return _doc(maker, code) if maker else ""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return ast.get_docstring(node) or ""
    return ""
