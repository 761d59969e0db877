"""No call of the corpus raises a code that docs/api.md does not name for it."""

import json
import os
import subprocess
import sys

import pytest

from dynreg_tools import sources
from tests_host.api_page import raises
from tests_host.corpus.tlsservers import TlsServers

OBSERVE = sources.ROOT / "tests_host" / "api_page" / "observe.py"
FILES = sorted((sources.ROOT / "tests_host" / "corpus").glob("device_*.py"))
QUICK = {"device_messages", "device_queue", "device_config"}
# What the sources do not show: an error that is handed over, or that comes through a library; a
# CONNACK with a code that MQTT has not.
UNSEEN = {
    "connect.backoff lost",
    "register.gateway _request",
    "services.aio Client._in_thread",
    "services.ota.unpack check",
}
UNKNOWN = {"login.6", "login.255"}


def observed(path):
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    servers = TlsServers() if "fakes.servers()" in path.read_text("utf-8") else None
    try:
        if servers:
            environment["CORPUS_SERVERS"] = str(servers.description)
        command = [sys.executable, OBSERVE, path]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=250
        )
    finally:
        if servers:
            servers.close()
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.process
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
        for path in FILES
    ],
)
def test_no_code_comes_out_that_the_page_does_not_name(path):
    for name, codes in observed(path).items():
        module, function = name.split()
        if name in UNSEEN or "<" in function:  # one within another function
            continue
        assert set(codes) - UNKNOWN - set(raises.codes(module, function)) == set(), name
