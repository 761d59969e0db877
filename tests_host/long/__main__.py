"""`./dev long`: what takes too long for `./dev test`, one after the other, in under 40 minutes.

Each power cut in each state of the torn block, a reset at every byte, every row of the fault
table; good inputs made bad; the state machine over boards and cloud; the heap over 10,000
messages. The results go into docs/long.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dynreg_tools import files
from dynreg_tools.sources import ROOT

PAGE = ROOT / "docs" / "long.md"
BEGIN, END = "<!-- made by ./dev long -->", "<!-- end -->"
EXAMPLE = """
examples:
  ./dev long                       all parts; docs/long.md is written
  ./dev long --only fuzz soak      these, and no page
"""


def _tests(output: str, report: Path) -> str:
    """How the tests of pytest's own report ended."""
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ET.parse(report).getroot().iter("testsuite"):
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    bad = counts["failures"] + counts["errors"]
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['tests'] - bad - counts['skipped']} passed, {bad} failed{skipped}"


def _cases(output: str, report: Path) -> str:
    summary = json.loads(output.splitlines()[-1])
    return f"{summary['cases']} cases, {len(summary['faults'])} faults"


def _heap(output: str, report: Path) -> str:
    runs = json.loads(output.splitlines()[-1])
    return "; ".join(
        f"{run['tls']}: {run['heap_last'] - run['heap_first']:+} bytes of heap after "
        f"{run['steps']} steps and {run['disconnects']} lost connections"
        for run in runs
    )


@dataclass(frozen=True)
class Part:
    """A command of Python's, what it tries, its environment, and its result in a few words."""

    what: str
    command: tuple[str, ...]
    words: Callable[[str, Path], str]
    environment: dict[str, str] = field(default_factory=dict)


def _pytest(*arguments: str) -> tuple[str, ...]:
    return ("pytest", "-n", str(os.cpu_count() or 1), *arguments)


PARTS = {
    "slow": Part(
        "every cut point in every state, every byte, every row of the fault table",
        _pytest("-m", "slow"),
        _tests,
    ),
    "properties": Part(
        "1000 examples of each property of what is read",
        _pytest("tests_host/fuzz", "-k", "test_property"),
        _tests,
        {"FUZZ_EXAMPLES": "1000"},
    ),
    "model": Part(
        "3000 sequences of boots, cuts, faults and what people do",
        _pytest("tests_host/model", "-k", "whatever_happens"),
        _tests,
        {"MODEL_EXAMPLES": "3000"},
    ),
    "fuzz": Part(
        "good inputs made bad, on real MicroPython", ("tests_host.fuzz", "--json"), _cases
    ),
    "soak": Part(
        "is the heap at the end as at the beginning", ("tests_host.soak", "--json"), _heap
    ),
}


@dataclass
class Outcome:
    """How one part ended."""

    name: str
    passed: bool
    result: str
    seconds: int


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="dev long",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    outcomes = []
    try:
        for name in options.only or PARTS:
            say(f"{name}: {PARTS[name].what}")
            outcomes.append(run(name, PARTS[name]))
            say(f"{name}: {outcomes[-1].result}, {outcomes[-1].seconds} s")
    except KeyboardInterrupt:
        say("stopped by Ctrl-C")
        return 130
    if not options.only:
        write(outcomes)
    shown = [vars(outcome) for outcome in outcomes]
    print(json.dumps({"parts": shown}) if options.json else table(outcomes))
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def run(name: str, part: Part) -> Outcome:
    """One part to its end; what it says about how far it is goes to standard error."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dynreg-long-") as folder:
        report = Path(folder) / "report.xml"
        module, *arguments = part.command
        command = [sys.executable, "-m", module, *arguments]
        shows_progress = module == "pytest"
        if shows_progress:
            command.append(f"--junit-xml={report}")
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | part.environment,
            stdout=sys.stderr if shows_progress else subprocess.PIPE,
            text=True,
        )
        try:
            result = part.words(done.stdout or "", report)
        except (OSError, ValueError, LookupError, ET.ParseError):
            result = f"ended with exit code {done.returncode}, without a result"
    return Outcome(name, done.returncode == 0, result, round(time.monotonic() - began))


def say(text: str) -> None:
    print(f"dev long: {text}", file=sys.stderr, flush=True)


def table(outcomes: list[Outcome]) -> str:
    """The outcomes in Markdown, which a person reads as well."""
    lines = ["| part | tries | result | seconds |", "|---|---|---|---|"]
    for outcome in outcomes:
        result = outcome.result if outcome.passed else f"**failed**: {outcome.result}"
        what = PARTS[outcome.name].what
        lines.append(f"| {outcome.name} | {what} | {result} | {outcome.seconds} |")
    return "\n".join(lines)


def write(outcomes: list[Outcome]) -> None:
    """docs/long.md, between its marks: when, how long, and the table."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    minutes = sum(outcome.seconds for outcome in outcomes) / 60
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {minutes:.0f} minutes"
    files.write(PAGE, f"{head}{BEGIN}\n\n{when}\n\n{table(outcomes)}\n\n{END}{tail}")


if __name__ == "__main__":
    sys.exit(main())
