"""A whole boot on each MicroPython of this run: registration, login, clock; then a warm one.

On the interpreter itself, without a virtual board around it, against the hub, by verified
certificate or, where it can, TLS-PSK. What has no sockets has the corpus only.
"""

import json

import pytest

from dynreg_tools.bench import boot, devices
from dynreg_tools.bench.clients import BY_NAME
from dynreg_tools.build.interpreters import NETWORK
from tests_host import interpreters


def pytest_generate_tests(metafunc):
    there, _ = interpreters.found(metafunc.config.getoption("--interpreters"))
    metafunc.parametrize("name", there)


def test_it_registers_logs_in_and_sets_its_clock(name, tmp_path, request):
    there, _ = interpreters.found(request.config.getoption("--interpreters"))
    interpreter = there[name]
    if lacks := NETWORK - interpreter.can:
        pytest.skip(f"without {', '.join(sorted(lacks))}")
    client = BY_NAME["dynreg"]
    with devices.hub(client.psk) as hub:
        device = devices.Batch(tmp_path, interpreter).new(client, hub)
        for registrations in (1, 0):  # the second boot has a credential
            past = len(hub.events)
            done = boot.run(device)
            kinds = [event["event"] for event in hub.events[past:]]
            assert kinds.count("registered") == registrations
            assert kinds.count("login") == 1
            assert kinds.count("time_answered") >= 1
            assert done.tls == ("psk" if "psk" in interpreter.can else "verified-ca")
        stored = json.loads((device.folder / "device_info.json").read_text())["key_deviceinfo"]
        assert stored["deviceSecret"] == hub.devices()[0]["psk"]
