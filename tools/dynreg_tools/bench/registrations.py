"""How many registrations a hub takes in a second, over https and with a handshake for each.

Every client is a process of its own that registers one new device after the other, as a box of
blank boards does. Hubs and certificates take turns on the same machine, so that what else runs
there meets all of them.
"""

import json
import os
import shlex
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from ..errors import ToolError
from ..hub import rules

CERTIFICATES = ("rsa", "ec")
BEGIN = "<!-- figures of ./dev herd --registrations --write -->\n"
_PRODUCT, _SECRET = "BENCH00000", "bench-secret-of-no-board"
_CLIENTS = 8
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Result:
    """The median of the rounds of one hub with one kind of certificate.

    `cpu_ms` is what the hub's process has used for each; None where the system does not say.
    """

    hub: str
    certificate: str
    per_second: float
    cpu_ms: float | None


def measure(peer: str | None, seconds: float, rounds: int) -> list[Result]:
    """This hub and, where given, the hub that the command `peer` starts; ToolError.

    `peer` is a command line that takes the options of `dynreg hub` and prints its first line.
    """
    own = [sys.executable, "-m", "dynreg_tools", "hub"]
    hubs = {"this": own} | ({"peer": shlex.split(peer)} if peer else {})
    found: dict[tuple[str, str], list[tuple[float, float | None]]] = {}
    with ProcessPoolExecutor(_CLIENTS, get_context("spawn")) as clients:
        list(clients.map(time.sleep, [1] * _CLIENTS))  # until each has started
        for _ in range(rounds):
            for name, command in hubs.items():
                for certificate in CERTIFICATES:
                    one = _round(clients, command, certificate, seconds)
                    found.setdefault((name, certificate), []).append(one)
    return [
        Result(*key, statistics.median(rate for rate, _ in all_of), _median_cpu(all_of))
        for key, all_of in found.items()
    ]


def _median_cpu(all_of: Sequence[tuple[float, float | None]]) -> float | None:
    known = [cpu for _, cpu in all_of if cpu is not None]
    return statistics.median(known) if known else None


def _round(
    clients: ProcessPoolExecutor, command: list[str], certificate: str, seconds: float
) -> tuple[float, float | None]:
    """(registrations a second, ms of the hub's CPU for each)."""
    with _hub(command, certificate) as (process, ready):
        port, ca = int(ready["https"].rpartition(":")[2]), ready["ca_pem"]
        before = _cpu_seconds(process.pid)
        jobs = [clients.submit(_register, port, ca, n, seconds) for n in range(_CLIENTS)]
        done = [job.result() for job in jobs]
        after = _cpu_seconds(process.pid)
    count = sum(count for count, _ in done)
    cpu = None if before is None or after is None else (after - before) * 1000 / count
    return sum(count / took for count, took in done), cpu


@contextmanager
def _hub(command: list[str], certificate: str) -> Iterator[tuple[subprocess.Popen, dict]]:
    with tempfile.TemporaryDirectory(prefix="dynreg-") as folder:
        options = ["--data", str(Path(folder) / "hub"), "--product-id", _PRODUCT]
        options += ["--cert-key", certificate, "--register-limit", "10000000"]
        environment = {**os.environ, "DYNREG_PRODUCT_SECRET": _SECRET}
        with subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise ToolError(f"the hub did not start: {shlex.join(command)}")
            reader = threading.Thread(target=_read_on, args=[process.stdout])
            reader.start()
            try:
                yield process, json.loads(line)
            finally:
                process.terminate()
                reader.join()


def _read_on(lines: object) -> None:
    """Events are printed and read, as they are by whoever watches."""
    assert isinstance(lines, Iterator)
    for _ in lines:
        pass


def _cpu_seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _register(port: int, ca: str, client: int, seconds: float) -> tuple[int, float]:
    """In a client's process: registers new devices for so long; how many, and for how long."""
    context = ssl.create_default_context(cafile=ca)
    count, began = 0, time.monotonic()
    while not count or time.monotonic() - began < seconds:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(_request(f"device-{client}-{count}", port))
                reply = b""
                while more := secure.recv(4096):
                    reply += more
        if b'"Payload"' not in reply:
            raise ToolError("the hub refused a registration")
        count += 1
    return count, time.monotonic() - began


def _request(name: str, port: int) -> bytes:
    body = json.dumps({"ProductId": _PRODUCT, "DeviceName": name}).encode()
    signature = rules.registration_signature(_SECRET, "localhost", rules.ALGORITHM, "0", "1", body)
    lines = (
        f"POST {rules.REGISTER_PATH} HTTP/1.1",
        f"Host: localhost:{port}",
        "Content-Type: application/json; charset=utf-8",
        f"X-TC-Algorithm: {rules.ALGORITHM}",
        "X-TC-Timestamp: 0",
        "X-TC-Nonce: 1",
        f"X-TC-Signature: {signature}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def table(results: Sequence[Result], seconds: float, rounds: int) -> str:
    """The figures as Markdown."""
    lines = [
        f"{_CLIENTS} clients, {os.cpu_count()} cores that the clients use too, median of {rounds} "
        f"rounds of {seconds:g} s each, in turns:",
        "",
        "| hub | certificate | registrations a second | ms of the hub's CPU for each |",
        "|---|---|--:|--:|",
    ]
    for one in results:
        cpu = "?" if one.cpu_ms is None else f"{one.cpu_ms:.1f}"
        lines.append(f"| {one.hub} | {one.certificate} | {one.per_second:.0f} | {cpu} |")
    return "\n".join(lines) + "\n"
