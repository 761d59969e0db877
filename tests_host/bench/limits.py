"""The regression gate's figures: what they may be (limits.toml), what they are, what to say.

Only what is the same from machine to machine: no times. Written anew, with today's figures and the
room of ROOM above them, by `python -m tests_host.bench.limits`, run with .venv's Python as root.
"""

import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

from tools import mpy
from tools.bench import results
from tools.bench.clients import BY_NAME
from tools.bench.devices import Batch
from tools.bench.wire import BOOTS, Setting, Wire

FILE = Path(__file__).with_name("limits.toml")
GATED = ("dynreg", "dynreg-ca")
RTT_MS, RUNS = 20, 5
# What a limit leaves above what was measured. The heap's last KiB and a few bytes on the wire (a
# number's digits, another OpenSSL's choices) differ between machines; the rest does not.
ROOM = {
    "bytes of .mpy": 50,
    "min_heap_kib": 1,
    "bytes_without_acks": 100,
    "packets_without_acks": 0,
    "requests": 0,
}
WORDS = {
    "min_heap_kib": "needs {} KiB of heap",
    "bytes_without_acks": "takes {} bytes on the wire (pure ACKs left out)",
    "packets_without_acks": "takes {} packets (pure ACKs left out)",
    "requests": "makes {} HTTP requests",
}
_HEAD = """\
# What the library may cost; test_limits.py beside this fails above, and warns more than 5 % below.
# Raise one only with the reason in the commit. limits.py says what each is, and writes this file.
"""


class UnderTheLimit(UserWarning):
    """A limit has become loose."""


def limits() -> dict:
    return tomllib.loads(FILE.read_text("utf-8"))


def judge(name: str, words: str, value: int, limit: int | None, room: int) -> str:
    """One sentence when value is over its limit, else ""; warns when it is far below."""
    where = f"tests_host/bench/{FILE.name}"
    text = f"{name} {words.format(value)}"
    if limit is None:
        return f"{text} and has no limit: add one to {where}"
    if value > limit:
        return f"{text}, the limit is {limit}: make it smaller, or raise the limit in {where}"
    if value + room < limit * 0.95:
        warnings.warn(
            f"{text}, the limit is {limit}: tighten it in {where}", UnderTheLimit, stacklevel=2
        )
    return ""


def flash(scratch: Path) -> dict:
    """Bytes of .mpy by module and in all."""
    sizes = mpy.sizes(mpy.LIB, scratch)
    totals = {f"all of {part}": size for part, size in mpy.totals(sizes).items() if part != "all"}
    return {**sizes, **totals}


def memory(scratch: Path) -> dict:
    """min_heap_kib by client and kind of boot."""
    clients = [BY_NAME[name] for name in GATED]
    found = results.memory(Batch(scratch), clients, lambda text: None)
    return {
        name: {kind: {"min_heap_kib": boots[kind]["min_heap_kib"]} for kind in BOOTS}
        for name, boots in found.items()
    }


def wire(scratch: Path) -> dict:
    """Bytes, packets and requests by client and kind of boot. NoLink."""
    with Wire(Batch(scratch), [BY_NAME[name] for name in GATED]) as wire:
        found = wire.measure(Setting(RTT_MS), RUNS)
    keys = ("bytes_without_acks", "packets_without_acks", "requests")
    return {
        name: {kind: {key: boots[kind].summary()[key] for key in keys} for kind in BOOTS}
        for name, boots in found.items()
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        sizes = flash(Path(folder, "flash"))
        heaps, packets = memory(Path(folder, "heap")), wire(Path(folder, "wire"))
    lines = [_HEAD + "[flash]"]
    room = ROOM["bytes of .mpy"]
    lines += [f'"{name}" = {-(-size // room) * room}' for name, size in sizes.items()]
    for name in GATED:
        for kind in BOOTS:
            lines.append(f"\n[{name}.{kind}]")
            figures = {**packets[name][kind], **heaps[name][kind]}
            lines += [f"{key} = {value + ROOM[key]}" for key, value in figures.items()]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
