"""The loop on the device's side, for CPython and MicroPython alike; chunks.py starts it.

Reads one JSON object from standard input: first and count (cases, numbered on), and seed or given
(a list of target and input, as Python writes it). Prints a line "@case N TARGET" before each case,
"@seen " and how many of its calls had a sound result and how many were refused after it,
and "@fault " with a JSON object for each fault: fault (its signature), case, and where the
signature is new, input and text (the traceback).
"""

import json
import sys

HERE = __file__.rsplit("/", 1)[0]
sys.path.insert(0, HERE + "/../corpus")

from runner import look_in, traceback  # noqa: E402


def main():
    look_in(HERE)
    import targets

    with targets.Environment():
        loop(targets, **json.loads(sys.stdin.readline()))


def loop(targets, first, count, seed=None, given=None):
    """The cases from first on; their faults are reported."""
    from judge import seen
    from source import Seeded

    reported = set()
    for number in range(first, first + count):
        source = Seeded(seed or 0, number)
        name = given[number][0] if given else source.one_of(targets.NAMES)
        print("@case", number, name)
        case = None
        try:
            case = eval(given[number][1]) if given else targets.TARGETS[name][0](source)
            targets.run(name, case)
        except BaseException as error:  # Ctrl-C too: then it is here that it hangs
            text = traceback(error)
            fault = {"fault": signature(name, text), "case": number}
            if fault["fault"] not in reported:
                reported.add(fault["fault"])
                fault.update(input=repr(case), text=text)
            print("@fault " + json.dumps(fault))
        print("@seen " + json.dumps(seen))
        seen.update(sound=0, refused=0)


def signature(name, text):
    """The same for the same fault: target, exception, and the innermost function of dynreg."""
    lines = text.strip().split("\n")
    where = [line.split(" in ")[-1] for line in lines if "/dynreg/" in line]
    words = lines[-1].split("judge.")[-1]
    if not words.startswith("Fault"):
        words = words.split(":")[0].replace("KeyboardInterrupt", "hangs")
        words += " in " + (where[-1] if where else "the fuzzer itself")
    return name + ": " + words


if __name__ == "__main__":
    main()
