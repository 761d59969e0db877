"""What each service costs: bytes of .mpy, and of heap once a program has imported it.

`python -m tests_host.bench.services`, run with .venv's Python, writes the table of
docs/performance.md, and the sizes in that of docs/services.md; test_services.py beside this holds
both.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from dynreg_tools import sources
from dynreg_tools.bench.report import table
from dynreg_tools.build import interpreters, mpy

PAGE = sources.ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- python -m tests_host.bench.services writes from here -->", "<!-- to there -->"
LIST = sources.ROOT / "docs" / "services.md"
ROW = r"(?m)^(\| `(\w+)` \| .* \| )[\d.]+ KB \|$"  # of that page
# What is in memory anyway: of a session, of any asyncio program, of one with the vendor's names.
_PROGRAM = """
import gc, sys, dynreg, dynreg.connect.link, dynreg.mqtt.session
try:
    import asyncio
except ImportError:
    pass
if sys.argv[1].startswith("vendor"):
    import hub.hub
gc.collect()
before = gc.mem_alloc()
__import__("dynreg.services." + sys.argv[1])
gc.collect()
print(gc.mem_alloc() - before)
"""


def measure(scratch: Path, bits: int) -> dict[str, tuple[int, int]]:
    """{service: (bytes of .mpy, bytes of heap)}; {} where there is no such interpreter."""
    every = [interpreters.wheel(), *interpreters.available()]
    found = next((one for one in every if one.bits == bits), None)
    if found is None:
        return {}
    services = sources.services()
    mpy.compile_library(scratch / "lib", services)
    (scratch / "held.py").write_text(_PROGRAM)
    environment = os.environ | {"MICROPYPATH": f"{scratch / 'lib'}:.frozen"}
    sizes = {}
    for name, modules in services.items():
        size = sum(
            (scratch / "lib" / module).with_suffix(".mpy").stat().st_size for module in modules
        )
        command = [found.path, "-X", "heapsize=1M", scratch / "held.py", name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        sizes[name] = (size, int(done.stdout))
    return sizes


def text(by_bits: dict[int, dict[str, tuple[int, int]]]) -> str:
    """The table in Markdown."""
    rows = [["service", "bytes of .mpy", *(f"{bits}-bit: heap" for bits in by_bits)]]
    for name, (size, _) in by_bits[64].items():
        heaps = [str(of[name][1]) if of else "–" for of in by_bits.values()]
        rows.append([name, str(size), *heaps])
    return table(rows)


def shown() -> str:
    """The table as the page has it."""
    return PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def listed(sizes: dict[str, int]) -> str:
    """docs/services.md with these sizes, in bytes."""
    kb = {name: f"{size / 1024:.1f} KB |" for name, size in sizes.items()}
    return re.sub(ROW, lambda row: row[1] + kb[row[2]], LIST.read_text("utf-8"))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        by_bits = {bits: measure(Path(folder, str(bits)), bits) for bits in (64, 32)}
    LIST.write_text(listed({name: size for name, (size, _) in by_bits[64].items()}), "utf-8")
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n\n{text(by_bits)}\n\n{end}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
