"""The pages that list what the code knows, held against the code."""

import ast
import re

from dynreg_tools.build import interpreters
from dynreg_tools.sources import ROOT

DOCS = ROOT / "docs"


def test_every_key_of_device_info_json_is_in_its_page():
    tree = ast.parse((ROOT / "lib/dynreg/storage/device_file.py").read_text("utf-8"))
    keys = {"gatewayCa", "mqttCa", "check"}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func)
            if name in ("_text", "_file", "_section", "_endpoint") and len(call.args) > 2:
                key = call.args[2]
            elif name in ("values.get", "section.get", "enumerate"):
                key = call.args[0]
            else:
                continue
            parts = [key, *key.elts] if isinstance(key, ast.Tuple) else [key]
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    keys.add(part.value)
    assert {"productId", "wifi", "mqtt", "devCertFile", "early"} <= keys
    page = (DOCS / "device_info.md").read_text("utf-8")
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", page))))
    assert keys - named == set()


def test_the_table_of_interpreters_has_those_that_the_runs_have():
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## On which MicroPythons")[1]
    rows = re.findall(r"^\| `(\S+)` \| (\S+) \| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.M)
    words = {"each": "each", "ci": "CI", "long": "`./dev long`"}
    expected = [
        (
            name,
            pin["release"],
            str(pin["bits"]),
            "Debian {suite}, {architecture}".format(**pin["debian"])
            if "debian" in pin
            else "npm, WebAssembly",
            "corpus, whole boots" if "debian" in pin else "corpus without TLS",
            words[pin["runs"]],
        )
        for name, pin in interpreters.pinned().items()
    ]
    assert rows[-len(expected) :] == expected
    wheel = interpreters.wheel()
    assert rows[0][1:3] == (wheel.release, str(wheel.bits))
