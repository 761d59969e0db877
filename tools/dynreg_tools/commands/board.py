"""`dynreg board`: make virtual boards and run them."""

import argparse
import json
import signal
import sys
import threading
import time
from typing import Any, TextIO

from ..build.firmware_libraries import need_umqtt
from ..virtualboard import Board, BoardError

_EXIT_POWER_CUT, _EXIT_TIMEOUT = 75, 124


def _wifi(text: str) -> tuple[str, str | None]:
    ssid, _, password = text.partition(":")
    return ssid, password or None


def _server(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT")
    return host, int(port)


DESCRIPTION = "Makes virtual boards and runs them: real MicroPython on a real flash image."
EXAMPLE = """\
example:
  dynreg board new .cache/board --wifi home:"its password"
  dynreg board run .cache/board          prints the port, serves until Ctrl-C
  mpremote connect /dev/pts/N repl      in another terminal; N as printed

`board new --json` prints one JSON object, `board run` one JSON line once it is ready and for each
event after it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", metavar="what", required=True)
    new = commands.add_parser("new", help="make a board in a folder")
    new.add_argument("folder", metavar="DIR")
    new.add_argument("--flash-size", default="2M", help="of the file system (default 2M)")
    new.add_argument("--fs", choices=("littlefs2", "fat"), default="littlefs2")
    new.add_argument("--mac", help="24:6f:28:aa:bb:cc (default: a random one, kept)")
    new.add_argument("--heap", default="256K", help="the program's heap (default 256K)")
    new.add_argument(
        "--wifi",
        type=_wifi,
        action="append",
        default=[],
        metavar="SSID[:PASSWORD]",
        help="an access point in reach; may be repeated",
    )
    new.add_argument("--ntp", type=_server, metavar="HOST:PORT", help="the time server it reaches")
    new.add_argument(
        "--dns",
        type=_server,
        metavar="HOST:PORT",
        help="its name server (default: this machine finds the names)",
    )
    new.add_argument("--umqtt", metavar="FILE", help="the umqtt/simple.py frozen into it")
    new.add_argument("--urequests", metavar="FILE", help="the urequests.py frozen into it")
    new.add_argument("--slots", action="store_true", help="two OTA slots for firmware images")
    new.add_argument("--json", action="store_true", help="one JSON object")
    run = commands.add_parser("run", help="power a board on")
    run.add_argument("folder", metavar="DIR")
    run.add_argument("--once", action="store_true", help="end when main.py has ended")
    run.add_argument("--timeout", type=float, default=120, metavar="S", help="for --once")
    run.add_argument("--stop-after", type=float, metavar="S", help="power off after S seconds")
    run.add_argument("--verbose", action="store_true", help="serial output on stderr too")
    run.add_argument("--power-cut", type=int, metavar="N", help="lose power at the Nth write")
    run.add_argument(
        "--torn",
        choices=("untouched", "half", "erased", "random", "reordered"),
        default="untouched",
        help="what the cut leaves of the block being written",
    )
    run.add_argument("--count-writes", action="store_true", help="report the flash writes")


def run(options: argparse.Namespace) -> int:
    """0, or what ended the board: 1 a traceback or a fault, 75 a power cut, 124 a time-out."""
    try:
        return _new(options) if options.what == "new" else _run(options)
    except OSError as error:
        raise BoardError(str(error)) from None


def _new(arguments: argparse.Namespace) -> int:
    board = Board.new(
        arguments.folder,
        mac=arguments.mac,
        wifi=dict(arguments.wifi),
        ntp=arguments.ntp,
        dns=arguments.dns,
        flash_size=arguments.flash_size,
        fs=arguments.fs,
        heap=arguments.heap,
        umqtt=arguments.umqtt,
        urequests=arguments.urequests,
        slots=arguments.slots,
    )
    row = {"folder": arguments.folder, "mac": board.mac}
    print(json.dumps(row) if arguments.json else "{folder}: virtual board {mac}".format(**row))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    board = Board(arguments.folder)
    need_umqtt(board.settings.get("umqtt"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    limit = arguments.timeout if arguments.once else arguments.stop_after
    deadline = None if limit is None else time.monotonic() + limit
    shown = sys.stdout if arguments.once else sys.stderr if arguments.verbose else None
    running = board.power_on(arguments.power_cut, arguments.torn)
    running.before_start = lambda: running.on_output(lambda text: _show(shown, text, stop))
    code, point = 0, None
    with running:
        if not arguments.once:
            _event({"ready": True, "port": running.port, "mac": board.mac})
        while not stop.is_set():
            running.wait_change(0.1)
            if point != (point := running.access_point) and not arguments.once:
                known = ("ssid", "http", "dns")  # its password is the label's and nobody else's
                _event(
                    {"event": "access-point", **{name: (point or {}).get(name) for name in known}}
                )
            state, status = running.state, running.first_end
            if state == "dead":
                raise BoardError(running.failure or "the board died")
            if state == "cut":
                code = _EXIT_POWER_CUT
                break
            if arguments.once and (status == "exit" or (status and state == "up")):
                code = 1 if status == "error" else 0
                break
            if deadline is not None and time.monotonic() >= deadline:
                code = _EXIT_TIMEOUT if arguments.once else 0
                break
    if code == _EXIT_POWER_CUT:
        event = {"event": "power-cut", "write": board.flash_writes, "torn": arguments.torn}
        _event(event, sys.stderr if arguments.once else sys.stdout)
    if arguments.count_writes:
        _event({"flash_writes": board.flash_writes}, sys.stderr if arguments.once else sys.stdout)
    return code


def _show(stream: TextIO | None, text: str, stop: threading.Event) -> None:
    """Serial output, in the board's thread; `stop` is set when nobody reads any more."""
    try:
        if stream is not None:
            stream.write(text.replace("\r\n", "\n"))
            stream.flush()
    except BrokenPipeError:
        stop.set()


def _event(event: dict[str, Any], stream: TextIO | None = None) -> None:
    print(json.dumps(event), file=stream or sys.stdout, flush=True)
