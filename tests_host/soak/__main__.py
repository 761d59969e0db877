"""`./dev soak`: does a board stay as it is over thousands of messages and lost connections?

Real MicroPython as a virtual board, on a local hub, over TLS: publishes with QoS 0 and 1, polls,
messages, pings, the time; the hub ends the connection or is started anew, the board comes back.
Waits for a next try cost no time. Heap and descriptors at the end must be as they were after the
first reconnect, once over TLS-PSK and once over verified TLS.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from dynreg_tools.hub import HubError
from dynreg_tools.virtualboard import BoardError

from .picture import svg
from .run import SoakError, soak

EXAMPLE = """
examples:
  ./dev soak --steps 300 --disconnects 10     a short one
  ./dev soak --svg docs/soak.svg              all of it, and the heap's curve
"""
_KINDS = {"psk": (True,), "verified-ca": (False,), "both": (True, False)}


def main():
    parser = argparse.ArgumentParser(
        prog="dev soak",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=10000, help="publishes and polls (10000)")
    parser.add_argument("--disconnects", type=int, default=300, help="lost connections (300)")
    parser.add_argument("--every", type=int, default=100, help="steps between two looks (100)")
    parser.add_argument("--tls", choices=_KINDS, default="both", help="which TLS (both)")
    parser.add_argument("--svg", metavar="FILE", help="draw the heap's curve")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    if options.steps < options.every or options.every < 1 or options.disconnects < 0:
        parser.error("--steps must be --every at least, and none of them below 1")
    results = []
    try:
        for psk in _KINDS[options.tls]:
            with tempfile.TemporaryDirectory(prefix="dynreg-soak-") as folder:
                results.append(
                    soak(
                        Path(folder),
                        psk,
                        options.steps,
                        options.disconnects,
                        options.every,
                        lambda text: print(f"dev soak: {text}", file=sys.stderr, flush=True),
                    )
                )
    except (SoakError, BoardError, HubError) as error:
        print(f"dev soak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.svg:
        Path(options.svg).write_text(svg(results), "utf-8")
    print(json.dumps([summary(result) for result in results]) if options.json else table(results))
    faults = [f"{result.tls}: {fault}" for result in results for fault in result.faults()]
    for fault in faults:
        print(f"dev soak: {fault}", file=sys.stderr)
    return 1 if faults else 0


def summary(result):
    """A result for programs."""
    first, last = result.points[0], result.points[-1]
    heaps = [point.heap for point in result.points]
    return {
        "tls": result.tls,
        "steps": result.steps,
        "disconnects": result.disconnects,
        "messages": result.messages,
        "heap_first": first.heap,
        "heap_last": last.heap,
        "heap_most": max(heaps),
        "heap_least": min(heaps),
        "descriptors_first": first.descriptors,
        "descriptors_last": last.descriptors,
        "connections_last": last.connections,
        "seconds": result.seconds,
    }


def table(results):
    """The results as a person reads them."""
    columns = [summary(result) for result in results]
    return "\n".join(
        f"{key.replace('_', ' '):18}" + "".join(f"{column[key]!s:>14}" for column in columns)
        for key in columns[0]
    )


if __name__ == "__main__":
    sys.exit(main())
