"""The catalogue: every fault by name, and how one is written: NAME[@SERVICE][:ARG][*TIMES]."""

import difflib
import re
from typing import Any

from . import clock, dns, http, mqtt, ota, reply, tcp, tls
from .kinds import LISTEN, SERVICES, Fault, FaultError, Kind

_LAYERS = (dns, tcp, tls, http, reply, mqtt, clock, ota)
CATALOGUE: dict[str, Kind] = {kind.name: kind for layer in _LAYERS for kind in layer.KINDS}

_SPEC = re.compile(
    r"(?P<name>[a-z0-9-]+)(@(?P<service>[a-z]+))?(:(?P<argument>[^*]*))?(\*(?P<times>[0-9]{1,9}))?"
)
_NEAREST = 3


def parse(spec: str) -> Fault:
    """The fault that a text asks for; FaultError says what is wrong with it."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise FaultError(f"{spec!r} is no fault; write it as NAME[@SERVICE][:ARGUMENT][*TIMES]")
    kind = _kind(found["name"])
    service = found["service"]
    if service is not None and service not in kind.services:
        where = " or ".join(kind.services) or "no @SERVICE"
        raise FaultError(f"{kind.name} takes {where}, not @{service}")
    times = int(found["times"]) if found["times"] else None
    if times == 0:
        raise FaultError(f"{spec!r} is triggered 0 times; TIMES is 1 or more")
    if times and kind.hook == LISTEN:
        raise FaultError(f"{kind.name} is a state of the port and takes no *TIMES")
    return Fault(kind, _argument(kind, found["argument"]), service, times)


def _kind(name: str) -> Kind:
    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, _NEAREST, 0.5)
        hint = f"; nearest: {', '.join(near)}" if near else "; --faults shows all"
        raise FaultError(f"there is no fault {name!r}{hint}")
    return CATALOGUE[name]


def _argument(kind: Kind, text: str | None) -> Any:
    argument = kind.argument
    if argument is None:
        if text is not None:
            raise FaultError(f"{kind.name} takes no argument")
        return None
    if text is None:
        return argument.default
    try:
        return argument.read(text)
    except ValueError:
        raise FaultError(
            f"{kind.name}:{text} cannot be: the argument is {argument.meaning}"
        ) from None


def table() -> str:
    """The catalogue as a table for a terminal."""
    rows = [(spelling(kind), kind.text) for kind in CATALOGUE.values()]
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:{width}}{text}" for name, text in rows)


def spelling(kind: Kind) -> str:
    """How a fault is written, with its default argument."""
    where = f"[@{'|'.join(SERVICES)}]" if kind.services else ""
    return kind.name + where + (f":{kind.argument.default}" if kind.argument else "")
