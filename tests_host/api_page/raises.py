"""Which error codes can come out of a call of lib/dynreg: read from the sources, nothing is run.

A code counts as raised where its error is made, in a function or in one that it calls, unless an
`except` around it takes it. What is called is found by name: a module's own functions, imports,
`port.step("module", "function")`, methods of self, and of variables that always hold the same
class (TYPES). So a call may have a code here that its arguments rule out, but lacks none.
"""

import ast
from functools import cache
from typing import NamedTuple, TypeGuard

from dynreg_tools.sources import LIB

MODULES = {
    ".".join(path.relative_to(LIB / "dynreg").with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in (LIB / "dynreg").rglob("*.py")
}
# What a variable or attribute of this name is, wherever it stands.
TYPES = {
    "session": ("mqtt.session", "Session"),
    "device": ("device", "Device"),
    "link": ("connect.link", "Link"),
    "wire": ("connect.link", "Wire"),
    "updater": ("services.ota", "Updater"),
    "template": ("services.template", "Template"),
    "there()": ("mqtt.session", "Session"),  # aio.Client._there()
}
# Calls that no name shows: by TLS or a library, or by a function that was handed over.
UNSEEN = {
    ("connect.link", "Link._some"): [("connect.link", "Wire.readinto")],
    ("connect.link", "Link._push"): [("connect.link", "Wire.write")],
    ("connect.tls", "handshake"): [("connect.link", "Wire.readinto")],
    ("connect.adapter", "through"): [
        *(("connect.link", f"Link.{name}") for name in ("read", "readline", "readinto", "write")),
        *(("connect.adapter", f"SocketAdapter.{name}") for name in ("getaddrinfo", "socket")),
    ],
    ("mqtt.session", "Session.connect"): [("connect.connection", "login")],
    ("services._replies", "Requests._ask"): [("services._replies", "Requests._replied")],
    ("services.aio", "Client._there"): [("mqtt.session", "Session.poll")],
}
# Codes of the calls beneath that this function's own arguments to them rule out.
NOT_HERE = {
    # It asks with ms=0: no reply is waited for.
    ("services._replies", "Requests.sync"): {"service.refused", "service.reply"},
}
PASSES_ON = {"_safe", "call", "step"}  # they call what they are given
RERAISES = {"lost"}  # raises the error that it is given, unless its retry says that it may pass


class Raised(NamedTuple):
    """One error: its code, its class, and whether its retry is False."""

    code: str
    kind: str
    never: bool


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


@cache
def classes() -> dict[str, tuple[str, bool]]:
    """{error class: (its base, whether its retry is False)}."""
    found = {"DynregError": ("Exception", True)}
    for node in tree("errors").body:
        if isinstance(node, ast.ClassDef) and node.name not in found:
            own = [part for part in node.body if isinstance(part, ast.Assign)]
            found[node.name] = (ast.unparse(node.bases[0]), not own)
    return found


@cache
def names(module: str) -> dict[str, tuple[str, str]]:
    """What names mean in a module: {name: (module, its name there)}, "" for a module itself."""
    package = module.split(".")
    if MODULES[module].name != "__init__.py":
        package = package[:-1]
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base += node.module.split(".") if node.module else []
            for name in node.names:
                whole = ".".join([*base, name.name])
                place = (whole, "") if whole in MODULES else (".".join(base), name.name)
                found[name.asname or name.name] = place
    for node in tree(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = (module, node.name)
    return found


@cache
def definition(module: str, name: str) -> ast.AST | None:
    """The function or class "name" of a module, or its "Class.name", one of a base too."""
    if module not in MODULES:
        return None
    first, _, rest = name.partition(".")
    node = next((n for n in tree(module).body if getattr(n, "name", None) == first), None)
    if not rest or node is None:
        return node
    assert isinstance(node, ast.ClassDef), name
    for part in node.body:
        if getattr(part, "name", None) == rest:
            return part
    for place in bases(module, first):
        found = definition(place[0], f"{place[1]}.{rest}")
        if found:
            return found
    return None


@cache
def bases(module: str, name: str) -> list[tuple[str, str]]:
    """The classes of dynreg that a class is made from, as (module, name)."""
    node = definition(module, name)
    assert isinstance(node, ast.ClassDef)
    found = []
    for base in node.bases:
        first, _, rest = ast.unparse(base).partition(".")
        place = names(module).get(first)
        if place:
            found.append((place[0], rest or place[1]))
    return found


@cache
def home(module: str, name: str) -> tuple[str, str]:
    """Where a method is written: (module, "Class.name") of the class or of its base."""
    first, _, rest = name.partition(".")
    node = definition(module, first)
    if rest and isinstance(node, ast.ClassDef):
        if any(getattr(part, "name", None) == rest for part in node.body):
            return module, name
        for place in bases(module, first):
            if definition(place[0], f"{place[1]}.{rest}"):
                return home(place[0], f"{place[1]}.{rest}")
    return module, name


_found: dict[tuple[str, str, str], frozenset[Raised]] = {}


@cache
def raised(module: str, name: str) -> frozenset[Raised]:
    """All errors that a call of "name" or "Class.name" may raise, to the last call beneath it."""
    own = name.partition(".")[0] if "." in name else ""
    before = None
    while before != _found:  # what calls itself by way of others needs another round
        before = dict(_found)
        _visit(module, name, own, set())
    return _found[(module, name, own)]


def codes(module: str, name: str) -> list[str]:
    return sorted({one.code for one in raised(module, name)})


def _visit(module: str, name: str, own: str, seen: set) -> frozenset[Raised]:
    """One round: what is known of the functions beneath so far, and of this one then."""
    key = (module, name, own)
    if key in seen:
        return _found.get(key, frozenset())
    seen.add(key)
    node = definition(module, name)
    if isinstance(node, ast.ClassDef):
        result = _visit(module, name + ".__init__", name, seen)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        where = home(module, name)
        walk = _Walk(where[0], (module, own) if own else None, seen)
        result = walk.block(node.body)
        for place in UNSEEN.get(where, ()):
            result |= _visit(*place, place[1].partition(".")[0], seen)
        ruled_out = NOT_HERE.get(where, set())
        result = frozenset(one for one in result if one.code not in ruled_out)
    else:
        result = frozenset()
    _found[key] = result | _found.get(key, frozenset())
    return _found[key]


class _Walk:
    """What comes out of statements of one function; own: the class of self, (module, name)."""

    def __init__(self, module: str, own: tuple[str, str] | None, seen: set) -> None:
        self.module = module
        self.own = own
        self.seen = seen

    def block(self, nodes: list) -> frozenset[Raised]:
        return frozenset().union(*map(self.node, nodes))

    def node(self, node: ast.AST) -> frozenset[Raised]:
        if isinstance(node, ast.Try):
            return self.tried(node)
        found = self.block(list(ast.iter_child_nodes(node)))
        if isinstance(node, ast.Call):
            found |= self.call(node)
        elif isinstance(node, ast.withitem):
            found |= self.method(node.context_expr, "__enter__")
        return found

    def tried(self, node: ast.Try) -> frozenset[Raised]:
        left = self.block(node.body)
        found = self.block(node.orelse) | self.block(node.finalbody)
        for handler in node.handlers:
            taken = frozenset(one for one in left if _takes(handler, one))
            left -= taken
            found |= self.block(handler.body) | _again(handler, handler.body, taken)
        return found | left

    def call(self, node: ast.Call) -> frozenset[Raised]:
        text = ast.unparse(node.func)
        if text in classes():
            return _made(text, node)
        found = self.target(node.func)
        if text.rpartition(".")[2] in PASSES_ON:
            for argument in node.args[:1]:
                found |= self.target(argument)
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if "port.step" in (text, *map(ast.unparse, node.args[:1])) and len(texts) > 1:
                found |= _visit(str(texts[0]), str(texts[1]), "", self.seen)
        # A code that is handed to what makes the error of it.
        given = [argument.value for argument in node.args if _is_code(argument)]
        open_ = {one for one in found if one.code == "?"}
        if given:
            found -= open_
            found |= {one._replace(code=code) for one in open_ for code in given}
        return found

    def target(self, node: ast.AST) -> frozenset[Raised]:
        """What a call of this expression raises."""
        if isinstance(node, ast.Name):
            place = names(self.module).get(node.id)
            return _visit(*place, "", self.seen) if place else frozenset()
        if isinstance(node, ast.Attribute):
            return self.method(node.value, node.attr)
        return frozenset()

    def method(self, value: ast.AST, name: str) -> frozenset[Raised]:
        text = ast.unparse(value)
        place: tuple[str, str] | None = None
        if text == "self":
            place = self.own
        elif text == "super()" and self.own:
            for base in bases(*self.own):
                if definition(base[0], f"{base[1]}.{name}"):
                    return _visit(base[0], f"{base[1]}.{name}", base[1], self.seen)
            return frozenset()
        elif names(self.module).get(text, ("", "?"))[1] == "":  # a module
            return _visit(names(self.module)[text][0], name, "", self.seen)
        else:
            place = TYPES.get(text.rpartition(".")[2].lstrip("_"))
        if not place or not definition(place[0], f"{place[1]}.{name}"):
            return frozenset()
        return _visit(place[0], f"{place[1]}.{name}", place[1], self.seen)


def _is_code(node: ast.AST) -> TypeGuard[ast.Constant]:
    """Whether an argument is an error code: words of letters with a dot between them."""
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and "." in text and text.replace(".", "").isalpha()


def _made(kind: str, node: ast.Call) -> frozenset[Raised]:
    """The errors of one constructor's call."""
    code = node.args[0]
    more = [k.value for k in node.keywords if k.arg == "retry"] or node.args[2:3]
    never = classes()[kind][1]
    if more:
        never = isinstance(more[0], ast.Constant) and more[0].value is False
    if isinstance(code, ast.Constant):
        return frozenset({Raised(code.value, kind, never)})
    if isinstance(code, ast.BinOp):  # "login.%d"
        return frozenset(Raised(f"login.{n}", kind, never) for n in range(1, 6))
    if isinstance(code, ast.IfExp):
        both = [code.body, code.orelse]
        return frozenset(Raised(ast.literal_eval(one), kind, never) for one in both)
    return frozenset({Raised("?", kind, never)})


def _takes(handler: ast.ExceptHandler, one: Raised) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    wanted = {ast.unparse(name) for name in named if name}
    kind = one.kind
    while kind in classes():
        if kind in wanted:
            return True
        kind = classes()[kind][0]
    return not wanted or bool(wanted & {"Exception", "BaseException"})


def _again(handler: ast.ExceptHandler, nodes: list, taken: frozenset[Raised]) -> frozenset[Raised]:
    """What a handler raises of that which it has taken."""
    found: frozenset[Raised] = frozenset()
    for node in nodes:
        if isinstance(node, ast.If):
            yes, no = _told_apart(node.test, handler.name, taken)
            found |= _again(handler, node.body, yes) | _again(handler, node.orelse, no)
            if isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
                taken = no
        elif isinstance(node, ast.Raise):
            cause = ast.unparse(node.exc) if node.exc else handler.name
            return found | taken if cause == handler.name else found
        else:
            words = ast.unparse(node)
            if any(f"{name}" in words for name in RERAISES) and handler.name:
                found |= {one for one in taken if one.never}
            inner = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)]
            found |= _again(handler, inner, taken)
    return found


def _told_apart(test: ast.expr, name: str | None, taken: frozenset[Raised]) -> tuple:
    """(those for which a test may hold, those for which it may not)."""
    text = ast.unparse(test)
    if text == f"not {name}.retry":
        return frozenset(x for x in taken if x.never), frozenset(x for x in taken if not x.never)
    if isinstance(test, ast.Compare) and ast.unparse(test.left) == f"{name}.code":
        try:
            value = ast.literal_eval(test.comparators[0])
        except ValueError:
            return taken, taken
        listed = frozenset(
            x for x in taken if x.code in (value if isinstance(value, tuple) else (value,))
        )
        same = isinstance(test.ops[0], ast.Eq | ast.In)
        return (listed, taken - listed) if same else (taken - listed, listed)
    return taken, taken


@cache
def every_error() -> frozenset[Raised]:
    """Each error that is made somewhere in lib/dynreg, raised or only logged."""
    found: frozenset[Raised] = frozenset()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and (
                ast.unparse(node.func) in classes() or any(map(_is_code, node.args))
            ):
                found |= _Walk(module, None, set()).call(node)
    return frozenset(one for one in found if one.code != "?")
