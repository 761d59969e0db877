"""`dynreg init`: the batch's device_info.json."""

from __future__ import annotations

import argparse
import json
import os
import secrets as random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import files, sources
from ..boards import batch
from ..boards.errors import BoardError
from ..console import Console
from . import init_questions as questions

DESCRIPTION = """\
Writes device_info.json, one file for the whole batch, with mode 0600, and keeps git from taking
it. Asks for what neither options nor environment variables say; all is checked as a board does."""
EXAMPLE = """\
examples:
  dynreg init
  dynreg init --product-id ABCDEFGHIJ --region europe --wifi-ssid bench      asks for the secrets
  DYNREG_PRODUCT_SECRET=... DYNREG_WIFI_PASSWORD=... dynreg init --product-id ABCDEFGHIJ ...
  dynreg init --product-id ABCDEFGHIJ --gateway https://localhost:8441 \\
              --mqtt mqtts://localhost:8443 --ca .cache/hub/ca.der           the local hub

environment variables: DYNREG_PRODUCT_ID, DYNREG_PRODUCT_SECRET, DYNREG_REGION, DYNREG_DEVICE_NAME,
DYNREG_WIFI_SSID, DYNREG_WIFI_PASSWORD"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", type=Path, default=Path("device_info.json"), metavar="FILE")
    parser.add_argument("--product-id", metavar="ID")
    parser.add_argument("--region", choices=sorted(questions.REGIONS))
    parser.add_argument("--device-name", metavar="NAME", help="default esp32-{mac}")
    parser.add_argument("--wifi-ssid", metavar="NAME", help='"" for none')
    parser.add_argument(
        "--setup",
        action="store_true",
        help="a key for services/setup, by which a person gives the board its Wi-Fi",
    )
    own = parser.add_argument_group("a hub of your own")
    own.add_argument("--gateway", metavar="URL", help="https://host:port")
    own.add_argument("--mqtt", metavar="URL", help="mqtts://host:port")
    own.add_argument("--ca", type=Path, metavar="FILE", help="its CA, PEM or DER; goes to certs/")
    secrets = parser.add_argument_group("secrets, where asking will not do")
    for name in ("product-secret", "wifi-password"):
        secrets.add_argument(
            f"--{name}-file", type=Path, metavar="FILE", help="first line of FILE; - is stdin"
        )
        secrets.add_argument(f"--{name}", metavar="TEXT", help="only with --secrets-in-clear")
    secrets.add_argument(
        "--secrets-in-clear",
        action="store_true",
        help="yes, in the shell's history and in the list of processes",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is filled in")
    parser.add_argument("--dry-run", action="store_true", help="check, write nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object, without secrets")


def run(options: argparse.Namespace) -> int:
    """0 once the file is written."""
    console = Console(options.json)
    path: Path = options.file
    _may_write(path, options.force)
    values = filled_in(answers(options), options)
    check(values, path)
    written = {"file": str(path), "product_id": values["productId"], "region": values["region"]}
    written |= {"device_name": values["deviceName"], "gitignore": False}
    if not options.dry_run:
        written["gitignore"] = _until_written(lambda: _write(values, options))
    console.result(written)
    verb = "would be written" if options.dry_run else "written, mode 0600"
    console.say(f"{path}: {verb}, for product {values['productId']} in {values['region']}")
    if written["gitignore"]:
        console.say(f"{path.parent / '.gitignore'}: a line for it added")
    return 0


def answers(options: argparse.Namespace) -> dict[str, str]:
    """From the options, else the environment, else a person at the terminal, else the defaults.

    What is given is judged before a question is asked, so that no answer is lost by it.
    """
    found = {question.name: _given(question, options) for question in questions.QUESTIONS}
    good = {name: text for name, text in found.items() if text is not None}

    def judge(name: str, text: str) -> str | None:
        if fault := questions.fault_of_text(name, text):
            return fault
        try:
            check(filled_in(questions.EXAMPLES | good | {name: text}, options), options.file)
        except BoardError as error:
            return str(error).removeprefix(f"{options.file}: ")
        return None

    check(filled_in(questions.EXAMPLES, options), options.file)  # gateway, broker, CA
    for name, text in list(good.items()):
        del good[name]
        if fault := judge(name, text):
            raise BoardError("config", f"{options.file}: {fault}")
        good[name] = text
    for question in questions.QUESTIONS:
        if question.name not in good:
            needless = question.name == "wifi_password" and not good["wifi_ssid"]
            if sys.stdin.isatty() and not needless:
                good[question.name] = questions.ask(question, judge)
            elif question.default is not None:
                good[question.name] = question.default
            else:
                raise BoardError("argument", _missing(question))
    return good


def _given(question: questions.Question, options: argparse.Namespace) -> str | None:
    given = getattr(options, question.name)
    if question.secret and given is not None and not options.secrets_in_clear:
        raise BoardError(
            "argument",
            f"{question.option}: a secret on the command line is seen by others: use "
            f"{question.option}-file or leave it out, or add --secrets-in-clear",
        )
    file = getattr(options, question.name + "_file", None)
    if given is None and file is not None:
        given = questions.first_line(file)
    if given is None:
        given = os.environ.get("DYNREG_" + question.name.upper())
    return given and questions.as_utf8(given)


def _missing(question: questions.Question) -> str:
    return (
        f"{question.text.split(' (')[0]} is missing: give {question.option}"
        f"{'-file' if question.secret else ''} or DYNREG_{question.name.upper()}, or run it in "
        "a terminal"
    )


def _write(values: dict[str, Any], options: argparse.Namespace) -> bool:
    """Writes the file and what belongs to it; whether .gitignore got a line."""
    path: Path = options.file
    if options.ca:
        (path.parent / "certs").mkdir(exist_ok=True)
        shutil.copyfile(options.ca, path.parent / "certs" / options.ca.name)
    files.write(path, batch.written(values) + "\n", files.PRIVATE)
    return ignore(path)


def _until_written(write: Callable[[], bool]) -> bool:
    """At a terminal the answers are kept until the disk takes them."""
    while True:
        try:
            return write()
        except OSError as error:
            why = f"{error.filename}: cannot be written: {error.strerror}"
            if not sys.stdin.isatty():
                raise BoardError("argument", why) from None
            try:
                input(f"dynreg: {why}: mend it and press Enter (Ctrl-C gives up): ")
            except EOFError:
                raise BoardError("argument", why) from None


def filled_in(answers: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """The template, with the answers in it."""
    values = json.loads((sources.ROOT / "device_info.json").read_text("utf-8"))
    values["productId"] = answers["product_id"]
    values["productSecret"] = answers["product_secret"]
    values["deviceName"] = answers["device_name"]
    values["region"] = answers["region"]
    values.pop("wifi")
    if options.setup:
        values["setup"] = {"key": random.token_urlsafe(24)}
    if answers["wifi_ssid"]:
        values["wifi"] = {"ssid": answers["wifi_ssid"], "password": answers["wifi_password"]}
    endpoint = {"gateway": options.gateway, "mqtt": options.mqtt}
    if options.ca:
        if not options.ca.is_file():
            raise BoardError("argument", f"{options.ca}: no such file")
        endpoint |= {
            "gatewayCa": f"/certs/{options.ca.name}",
            "mqttCa": f"/certs/{options.ca.name}",
        }
    endpoint = {key: value for key, value in endpoint.items() if value}
    return values | ({"endpoint": endpoint} if endpoint else {})


def check(values: dict[str, Any], path: Path) -> None:
    """BoardError "config" with what a board would say to these values."""
    with tempfile.TemporaryDirectory(prefix="dynreg-") as folder:
        trial = Path(folder) / "device_info.json"
        files.write(trial, batch.written(values), files.PRIVATE)
        try:
            batch.read(trial)
        except BoardError as error:
            raise BoardError(error.code, str(error).replace(str(trial), str(path))) from None


def ignore(path: Path) -> bool:
    """Adds the file to .gitignore beside it; False where it is there already."""
    file = path.parent / ".gitignore"
    text = file.read_bytes() if file.exists() else b""  # whatever its encoding is
    line = b"/" + os.fsencode(path.name)
    if {line, line[1:]} & set(text.splitlines()):
        return False
    ended = b"\n" if text and not text.endswith(b"\n") else b""
    with file.open("ab") as opened:
        opened.write(ended + line + b"\n")
    return True


def _may_write(path: Path, force: bool) -> None:
    if not path.parent.is_dir():
        raise BoardError("argument", f"{path.parent}: no such folder: make it first")
    if path.exists() and not force and not _is_template(path):
        raise BoardError("argument", f"{path}: is filled in already: --force replaces it")
    tracked = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name]
    try:
        if subprocess.run(tracked, capture_output=True).returncode == 0:
            raise BoardError(
                "argument",
                f"{path}: is in git, and secrets must not be: work in a folder of the batch's "
                "own, or give another --file",
            )
    except FileNotFoundError:
        pass  # no git, so nothing can be in it


def _is_template(path: Path) -> bool:
    try:
        return batch.placeholder(json.loads(path.read_text("utf-8"))["productSecret"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
