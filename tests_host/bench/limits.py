"""The regression gate's figures: what they may be (limits.toml), what they are, what to say.

Only what is the same from machine to machine: no times. Written anew, with today's figures and the
slack of SLACK above them, by `python -m tests_host.bench.limits`, run with .venv's Python as root.
What a 32-bit interpreter measures has tables of its own, which stay where there is none.
"""

import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

from dynreg_tools.bench import devices, flashreads
from dynreg_tools.bench import memory as bench_memory
from dynreg_tools.bench.clients import BY_NAME
from dynreg_tools.bench.devices import Batch
from dynreg_tools.bench.wire import BOOTS, Setting, Wire
from dynreg_tools.build import interpreters, mpy
from dynreg_tools.sources import LIB

FILE = Path(__file__).with_name("limits.toml")
GATED = ("dynreg", "dynreg-ca")
RTT_MS, RUNS = 20, 5
BITS = (64, 32)
# What a limit leaves above what was measured. The heap's last KiB and a few bytes on the wire (a
# number's digits, another OpenSSL's choices) differ between machines; the rest does not. Reads of
# the flash do not either, but each change of a size moves them a little.
SLACK = {
    "bytes of .mpy": 50,
    "min_heap_kib": 1,
    "bytes": 0,
    "names": 0,
    "reads": 500,
    "bytes_without_acks": 100,
    "packets_without_acks": 0,
    "requests": 0,
}
WORDS = {
    "min_heap_kib": "needs {} KiB of heap",
    "bytes": "is {} bytes of heap",
    "names": "is {} names (interned strings)",
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


def judge(name: str, words: str, value: float, limit: float | None, slack: float) -> str:
    """One sentence when value is over its limit, else ""; warns when it is far below."""
    where = f"tests_host/bench/{FILE.name}"
    text = f"{name} {words.format(value)}"
    if limit is None:
        return f"{text} and has no limit: add one to {where}"
    if value > limit:
        return f"{text}, the limit is {limit}: make it smaller, or raise the limit in {where}"
    if value + slack < limit * 0.95:
        warnings.warn(
            f"{text}, the limit is {limit}: tighten it in {where}", UnderTheLimit, stacklevel=2
        )
    return ""


def flash(scratch: Path) -> dict:
    """Bytes of .mpy by module and in all."""
    sizes = mpy.sizes(LIB, scratch)
    totals = {
        f"all of {part}": size
        for part, size in mpy.totals(sizes).items()
        if part not in ("all", "services")  # which no board has together
    }
    return {**sizes, **totals}


class Not32Bit(Exception):
    """There is no 32-bit interpreter here; the message says why."""


def memory(scratch: Path, bits: int) -> dict:
    """min_heap_kib by client and kind of boot, and growth in bytes and names. Not32Bit."""
    every = [interpreters.wheel(), *interpreters.available()]
    interpreter = next((one for one in every if one.bits == bits), None)
    if interpreter is None:
        raise Not32Bit(interpreters.why_not())
    clients = [BY_NAME[name] for name in GATED]
    found = bench_memory.measure(Batch(scratch, interpreter), clients, lambda text: None)
    return {
        name: {
            **{kind: {"min_heap_kib": of[kind]["min_heap_kib"]} for kind in bench_memory.KINDS},
            "growth": of["growth"],
        }
        for name, of in found.items()
    }


def reads(scratch: Path) -> dict:
    """Reads of the flash of a first and a warm boot, and of writing the worst file of lib/."""
    with devices.hub(True) as hub:
        found = flashreads.measure(Batch(scratch), hub)
    return {key: found[key] for key in (*BOOTS, "worst_file")}


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
        sizes, flash_reads = flash(Path(folder, "flash")), reads(Path(folder, "reads"))
        memories = {}
        for bits in BITS:
            try:
                memories[bits] = memory(Path(folder, str(bits)), bits)
            except Not32Bit as missing:
                memories[bits] = None
                print(f"the limits of {bits} bits stay as they are: {missing}", file=sys.stderr)
        packets = wire(Path(folder, "wire"))
    slack = SLACK["bytes of .mpy"]
    tables = {
        "flash": {f'"{name}"': -(-size // slack) * slack for name, size in sizes.items()},
        "flash_reads": flash_reads,
    }
    for name, boots in packets.items():
        tables |= {f"{name}.{kind}": _with_slack(figures) for kind, figures in boots.items()}
    for bits, found in memories.items():
        if found is None:
            old = limits().get(f"{bits}-bit", {})
            tables |= {f"{bits}-bit.{name}.{k}": v for name in old for k, v in old[name].items()}
        else:
            for name, kinds in found.items():
                for kind, figures in kinds.items():
                    tables[f"{bits}-bit.{name}.{kind}"] = _with_slack(figures)
    parts = [
        "\n".join([f"[{table}]", *(f"{key} = {value}" for key, value in figures.items())])
        for table, figures in tables.items()
    ]
    FILE.write_text(_HEAD + "\n\n".join(parts) + "\n", "utf-8")
    return 0


def _with_slack(figures: dict) -> dict:
    return {key: value + SLACK[key] for key, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
