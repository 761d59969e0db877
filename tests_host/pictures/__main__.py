"""Draws the pictures of docs/ anew: each from what its page says or from the data that it carries.

With --run from a new run of what it shows. Charts of the bench, the herd and the soak test are of
their own commands' runs: ./dev bench --update-docs, ./dev herd --write, ./dev soak --svg.
"""

import argparse
import json
import sys

from dynreg_tools import files
from tests_host.pictures.catalogue import DOCS, PICTURES, RUNS
from tests_host.pictures.shapes import PictureError

EXAMPLE = """
examples, each behind PYTHONPATH=tools .venv/bin/python -m tests_host.pictures:
  (nothing)       all of them
  flow            docs/flow.svg and docs/flow.zh-CN.svg
  demo --run      docs/demo.svg of a new run of ./dev demo
  --check         exit code 1 where one is not as it would be drawn now
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests_host.pictures",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(PICTURES)}")
    parser.add_argument("--run", action="store_true", help=f"a new run; of {', '.join(RUNS)}")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    known = RUNS if options.run else PICTURES
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"there is no {unknown[0]} here; there are {', '.join(known)}")
    if options.run and not options.names:
        parser.error("--run needs a name")
    if options.run and options.check:
        parser.error("--check goes without --run")
    changed = {}
    for name in options.names or PICTURES:
        for file, draw in PICTURES[name].items():
            try:
                text = RUNS[name]() if options.run else draw()
            except PictureError as error:
                print(f"pictures: {name}: {error}", file=sys.stderr)
                return 1
            there = DOCS / file
            changed[file] = not there.exists() or there.read_text("utf-8") != text
            if changed[file] and not options.check:
                files.write(there, text)
    if options.json:
        print(json.dumps(changed))
    else:
        words = "differs" if options.check else "written"
        for file, differs in changed.items():
            print(f"docs/{file}: {words if differs else 'as it is'}")
    return int(options.check and any(changed.values()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
