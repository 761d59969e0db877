"""`./dev fuzz`: good inputs made bad, by the thousand, for everything that dynreg reads.

Device files, HTTP replies, decrypted plaintexts, MQTT streams, times, certificates, services'
messages, bundles: whatever comes in, only a sound result or an error of dynreg's own tree may come
out, sockets are closed, waits end, and no secret is shown. Runs on real MicroPython; seed and case
say all that a case is.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from .chunks import INTERPRETERS, Chunk, FuzzError

_CHUNK = 2500
EXAMPLE = """
examples:
  ./dev fuzz                          100,000 cases (some ten minutes)
  ./dev fuzz --seed 7 --case 1234     one case again, with its input and traceback
"""


def main():
    parser = argparse.ArgumentParser(
        prog="dev fuzz",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", type=int, default=100000, metavar="N", help="how many")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which ones (default 1)")
    parser.add_argument("--case", type=int, metavar="K", help="only this one")
    parser.add_argument("--on", choices=INTERPRETERS, default="micropython", help="interpreter")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    if options.cases < 1 or options.jobs < 1 or (options.case or 0) < 0:
        parser.error("--cases and --jobs are 1 or more, --case is 0 or more")
    try:
        summary = run(options)
    except FuzzError as error:
        print(f"dev fuzz: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(summary) if options.json else table(summary))
    found = len(summary["faults"])
    if found:
        print(f"dev fuzz: {found} faults found; each is described above", file=sys.stderr)
    return 1 if found else 0


def run(options, out=sys.stderr):
    """All cases, reported on out as they go: a dict for programs. FuzzError."""
    began = time.monotonic()
    first, count = (options.case, 1) if options.case is not None else (0, options.cases)
    chunks = [
        Chunk(options.on, start, min(_CHUNK, first + count - start), seed=options.seed)
        for start in range(first, first + count, _CHUNK)
    ]
    faults, seen, done = {}, {}, 0
    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            for future in as_completed([pool.submit(chunk.run) for chunk in chunks]):
                chunk = future.result()
                for fault in chunk.faults:
                    if fault["fault"] not in faults:
                        print(words(fault, options), file=out, flush=True)
                    entry = faults.setdefault(fault["fault"], {**fault, "times": 0})
                    entry["times"] += 1
                for target, counts in chunk.seen.items():
                    sums = seen.setdefault(target, dict.fromkeys(counts, 0))
                    for what, number in counts.items():
                        sums[what] += number
                done += chunk.end - chunk.first
                print(f"dev fuzz: {done} of {count} cases", file=out, flush=True)
        except BaseException:
            for chunk in chunks:
                chunk.stop()
            raise
    return {
        "seed": options.seed,
        "on": options.on,
        "cases": count,
        "seen": dict(sorted(seen.items())),
        "faults": [
            {key: fault[key] for key in ("fault", "case", "times")} for fault in faults.values()
        ],
        "seconds": round(time.monotonic() - began, 1),
    }


def words(fault, options):
    """What a person needs to know of a fault."""
    text = fault["input"]
    if options.case is None and len(text) > 300:
        text = text[:300] + "…"
    return (
        f"\n{fault['text'].rstrip()}\n{fault['fault']}\n  input: {text}\n"
        f"  again: ./dev fuzz --seed {options.seed} --case {fault['case']} --on {options.on}"
    )


def table(summary):
    """The summary as a person reads it."""
    rows = [f"{summary['cases']} cases on {summary['on']} in {summary['seconds']:g} s"]
    for target, counts in summary["seen"].items():
        rows.append(f"{target:12} {counts['sound']:8} sound {counts['refused']:8} refused")
    rows += [f"{fault['times']:6} times: {fault['fault']}" for fault in summary["faults"]]
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
