"""The demo: a blank virtual board registers with a local hub, live, then boots once more.

Nothing is scripted: the board runs the lib/, boot.py and main.py as they are, copied by the
real mpremote, and the summary is made of what the board printed and what the hub recorded.
"""

import json
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from . import files
from .errors import ToolError
from .hub import Hub
from .sources import ROOT
from .virtualboard import Board, Running

BOOT_S = 60  # the most that one boot may take, Wi-Fi and both handshakes included
REPORT = re.compile(r"^dynreg: (\{.*\})\r?$", re.MULTILINE)
# The application runs, or the board gave up and offers its prompt.
SETTLED = re.compile(r"heartbeat: sent\r?\n|>>> ")
# What a person calls the steps of docs/protocol.md, 9, in the order in which they must show.
REGISTRATION = (
    r"register: \S+ asks http",
    r"register: credential [0-9a-f]{8} obtained",
    r"stored in /",
)
STEPS = (
    r"CONNECT, clean session, keep-alive 60 s",
    r"CONNACK 0",
    r"SUBSCRIBE \$sys/operation/result/\S+ QoS 0",
    r"PUBLISH the request",
    r"SUBACK",
    r"PUBLISH with the time, current time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    r"disconnect: done",
)


class DemoError(ToolError):
    """A step that failed; the message is one sentence."""


class Console:
    """Prints the output of board and hub by lines, and keeps all of it for the secret search."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.all = []
        self._rest = ""
        self._lock = threading.RLock()  # the board's output comes from a thread of its own

    def say(self, text: str) -> None:
        with self._lock:
            self.all.append(text)
            print(text, file=self.out, flush=True)

    def board(self, text: str) -> None:
        """Serial output as it comes, in pieces."""
        # Nobody reads any more: the next say() of the demo's own thread ends it.
        with self._lock, suppress(BrokenPipeError):
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self.say(f"  board | {line.rstrip()}")

    def finish(self) -> None:
        """The rest, which has no line end: the prompt."""
        with self._lock:
            self.board("\n" if self._rest.strip() else "")
            self._rest = ""


def run(
    console: Console, folder: Path, umqtt: str | None = None, urequests: str | None = None
) -> dict[str, Any]:
    """The whole demo in folder; the summary as a dict. DemoError, BoardError, TimeoutError."""
    product = "DEMO" + secrets.token_hex(3).upper()
    console.say(
        f"1. a local hub with product {product}, a blank virtual board, Wi-Fi between them"
    )
    wifi_password = secrets.token_urlsafe(9)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Hub(data=folder / "hub", product_id=product, register_type=2, strict=True) as hub:
        board = Board.new(
            folder / "board",
            wifi={"bench": wifi_password},
            ntp=hub.ntp,
            umqtt=umqtt,
            urequests=urequests,
        )
        console.say(f"   hub: {hub.https} and {hub.mqtts}")
        console.say(f"   board: MAC {board.mac}, {board.folder / 'flash.img'}")
        batch = batch_file(hub, wifi_password)
        with board.power_on() as running:
            console.say(
                f"2. mpremote copies lib/, boot.py, main.py, device_info.json ({running.port})"
            )
            deploy(running.port, folder, batch, hub.ca_der)
            running.on_output(console.board)
            console.say("3. first boot: nothing but the batch's device_info.json is on the board")
            first = boot(running, hub, console, expect_registration=True)
            console.say("4. second boot")
            second = boot(running, hub, console, expect_registration=False)
        stored = json.loads(board.read_file("/device_info.json"))["key_deviceinfo"]["deviceSecret"]
        known = {device["name"]: device["psk"] for device in hub.devices()}
        name = first.pop("device")[len(product) :]
        second.pop("device")
        printed = "\n".join(console.all)
        return {
            "device": name,
            "first_boot": first,
            "second_boot": second,
            "secret_stored": known.get(name) == stored,
            "secret_in_log": any(
                secret in printed for secret in (hub.product_secret, stored, wifi_password)
            ),
        }


def batch_file(hub: Hub, wifi_password: str) -> str:
    """The device_info.json that is the same for every board of the batch."""
    batch = json.loads((ROOT / "device_info.json").read_text("utf-8"))
    batch.update(productId=hub.product_id, productSecret=hub.product_secret)
    batch["wifi"] = {"ssid": "bench", "password": wifi_password}
    batch["endpoint"] = {
        "gateway": hub.https,
        "gatewayCa": "/certs/hub_ca.der",
        "mqtt": hub.mqtts,
        "mqttCa": "/certs/hub_ca.der",
    }
    return json.dumps(batch, indent=2, ensure_ascii=False)


def deploy(port: str, folder: Path, batch: str, ca: Path) -> None:
    """Copies everything onto the board, with mpremote as one would onto a real ESP32."""
    staging = folder / "staging"
    staging.mkdir(mode=0o700, parents=True, exist_ok=True)
    (staging / "certs").mkdir(exist_ok=True)
    shutil.copy(ca, staging / "certs" / "hub_ca.der")
    files.write(staging / "device_info.json", batch, files.PRIVATE)
    for name in ("boot.py", "main.py"):
        shutil.copy(ROOT / name, staging)
    shutil.copytree(
        ROOT / "lib",
        staging / "lib",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    items = [
        str(staging / item) for item in ("lib", "certs", "boot.py", "main.py", "device_info.json")
    ]
    command = [sys.executable, "-m", "mpremote", "connect", port, "fs", "cp", "-r", *items, ":"]
    result = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=300
    )
    shutil.rmtree(staging)
    if result.returncode:
        raise DemoError(f"mpremote could not copy: {(result.stderr or result.stdout).strip()}")


def boot(
    running: Running, hub: Hub, console: Console, expect_registration: bool
) -> dict[str, Any]:
    """Power-cycles the board and watches until its application runs; what was seen, as a dict."""
    before = len(hub.events)
    start = len(running.output)
    began = time.monotonic()
    arrivals = {}

    def clock(text: str) -> None:
        if "dynreg: {" in text and "report" not in arrivals:
            arrivals["report"] = time.time()

    running.on_output(clock)
    running.power_cycle()
    try:
        running.wait_for(SETTLED, BOOT_S)
    except TimeoutError:
        raise DemoError(f"the board does not get to its application within {BOOT_S} s") from None
    seconds = round(time.monotonic() - began, 3)
    running.write("\x03")
    running.wait_repl()
    console.finish()
    output = running.output[start:]
    found = REPORT.search(output)
    if not found:
        raise DemoError("the board stopped before it logged in; its last lines say why")
    report = json.loads(found[1])
    if report["connected"]:  # the hub gets the DISCONNECT a moment after the board has printed it
        past = sum(event["event"] == "disconnect" for event in hub.events[:before])
        hub.wait_for("disconnect", count=past + 1)
    events = hub.events[before:]
    for event in events:
        console.say(f"    hub | {' '.join(f'{k}={v}' for k, v in event.items() if k != 'at')}")
    if report["error"]:
        raise DemoError(f"the board says {report['error']}; its last lines say why")
    check_steps(output, (*REGISTRATION, *STEPS) if expect_registration else STEPS)
    kinds = [event["event"] for event in events]
    registered = "registered" in kinds
    if registered != expect_registration or report["registered"] != registered:
        raise DemoError(f"the hub saw {kinds.count('registered')} registrations on this boot")
    return {
        "device": report["device"],
        "registered": registered,
        "connected": report["connected"] and "login" in kinds,
        "clock_set": report["clock_set"] and "time_answered" in kinds,
        "clock_error_ms": round(report["unix_ms"] - arrivals["report"] * 1000),
        "tls": report["tls"],
        "seconds": seconds,
    }


def check_steps(output: str, steps: Sequence[str] = STEPS) -> None:
    """DemoError unless the board's log shows the steps in their order."""
    position = 0
    for step in steps:
        found = re.search(step, output[position:])
        if not found:
            raise DemoError(f"the board's log lacks the step '{step}'")
        position += found.end()
