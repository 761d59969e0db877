"""Devices of the batch: compiled once, each in a folder of its own, blank or registered.

The interpreter is MicroPython's unix port itself, without a virtual board around it: what a board
adds (Wi-Fi, NVS, an unset clock) is the same for every client. All own code runs as .mpy; requests
is frozen into the interpreter, as it is into an ESP32's firmware; umqtt.simple, which is frozen
there too, here costs every client the same heap.
"""

import itertools
import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from .. import files, sources
from ..build import interpreters, mpy
from ..build.interpreters import Interpreter, InterpreterError
from ..hub import Hub
from .clients import Client
from .errors import BenchError

_PROGRAMS = Path(__file__).parent / "programs"
_UMQTT = sources.CACHE / "firmware" / "umqtt" / "simple.py"
# What an interpreter may lack of an ESP32's frozen modules, after those that it has.
_FIRMWARE = Path(__file__).parent / "firmware"
# All that a program is told has the same length on every machine: its heap holds it.
_PATH, _CA = "../programs:../lib:.frozen:../firmware", "hub_ca.der"
_HEAP = "1M"  # where the heap is not what is measured


class Batch:
    """Makes devices in `folder`, an empty one that only we can read. BenchError.

    interpreter: that of its devices, the pinned wheel's by default.
    """

    def __init__(self, folder: Path, interpreter: Interpreter | None = None) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        try:
            self.interpreter = interpreter or interpreters.wheel()
        except InterpreterError as error:
            raise BenchError(str(error)) from None
        mpy.compile_tree(_PROGRAMS, folder / "programs")
        mpy.compile_library(folder / "lib")
        mpy.compile_tree(_FIRMWARE, folder / "firmware")
        mpy.compile_file(_UMQTT, "umqtt/simple.py", folder / "firmware/umqtt/simple.mpy")

    def new(self, client: Client, hub: Hub) -> "Device":
        """A blank device of the hub's product."""
        name = f"bench-{next(self._numbers):06}"  # of one length, so that bytes compare
        folder = self.folder / name
        folder.mkdir()
        shutil.copy(hub.ca_der, folder / _CA)
        device = Device(client, hub, name, folder, self)
        if client.program == "ours":
            files.write(
                folder / "device_info.json",
                json.dumps(_device_info(client, hub, name)),
                files.PRIVATE,
            )
        elif client.program == "obvious":
            files.write(
                folder / "obvious.json", json.dumps(_obvious_config(hub, name)), files.PRIVATE
            )
        return device

    def command(self, module: str, heap: str = _HEAP) -> list:
        """Runs one of programs/ with so much heap ("32K"), in a folder beside programs/."""
        return [self.interpreter.path, "-X", f"heapsize={heap}", "-m", module]

    def output(self, module: str, folder: Path, heap: str = _HEAP) -> str:
        """What one of programs/ prints that needs no hub. BenchError."""
        command = self.command(module, heap)
        result = subprocess.run(
            command,
            env=self.environment,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if result.returncode:
            last = (result.stderr or result.stdout).strip().splitlines()[-1:]
            raise BenchError(f"{module} fails on {self.interpreter.title}: {' '.join(last)}")
        return result.stdout

    @property
    def environment(self) -> dict:
        return {"MICROPYPATH": _PATH, "TZ": "UTC"}


class Device:
    """One device: its folder, in which a boot runs, and the hub that it belongs to."""

    def __init__(self, client: Client, hub: Hub, name: str, folder: Path, batch: Batch) -> None:
        self.client, self.hub, self.name, self.folder = client, hub, name, folder
        self._batch = batch

    def start(self, heap: str | None = None, program: str | None = None) -> dict:
        """What subprocess.Popen needs to boot it: args, env, and cwd for our own programs.

        program: one of programs/ that is run in place of the client's own.
        """
        if self.client.program is None:
            # The directory stays, so that the command means what it means to who typed it.
            args = ["/bin/sh", "-c", self.client.command]
            return {"args": args, "env": {**os.environ, **self._for_peer()}}
        args = self._batch.command(program or self.client.program, heap or _HEAP)
        return {"args": args, "env": self._batch.environment, "cwd": self.folder}

    def discard(self) -> None:
        shutil.rmtree(self.folder)

    def _for_peer(self) -> dict:
        hub = self.hub
        host, _, port = hub.mqtts.partition("://")[2].partition(":")
        return {
            "DYNREG_GATEWAY": hub.https,
            "DYNREG_MQTT_HOST": host,
            "DYNREG_MQTT_PORT": port,
            "DYNREG_CA_PEM": str(hub.ca_pem),
            "DYNREG_CA_DER": str(hub.ca_der),
            "DYNREG_PRODUCT_ID": hub.product_id,
            "DYNREG_PRODUCT_SECRET": hub.product_secret,
            "DYNREG_DEVICE_NAME": self.name,
            "DYNREG_FOLDER": str(self.folder),
        }


def hub(psk: bool, host: str = "127.0.0.1") -> Hub:
    """The cloud's end, with RSA-2048 certificates, for as many devices as one likes.

    Without Nagle's algorithm, whose cost is the broker's and the same for every client.
    """
    product_id = "BENCH" + secrets.token_hex(3).upper()[:5]
    return Hub(product_id=product_id, psk=psk, host=host, register_limit=1_000_000, nodelay=True)


def _device_info(client: Client, hub: Hub, name: str) -> dict:
    return {
        "auth_mode": "KEY",
        "productId": hub.product_id,
        "productSecret": hub.product_secret,
        "deviceName": name,
        "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
        "endpoint": {
            "gateway": hub.https,
            "gatewayCa": _CA,
            "mqtt": hub.mqtts,
            "mqttCa": _CA,
        },
        "early": client.early,
    }


def _obvious_config(hub: Hub, name: str) -> dict:
    host, _, port = hub.mqtts.partition("://")[2].partition(":")
    return {
        "product_id": hub.product_id,
        "product_secret": hub.product_secret,
        "device_name": name,
        "gateway": hub.https,
        "mqtt_host": host,
        "mqtt_port": int(port),
    }
