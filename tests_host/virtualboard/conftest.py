"""Boards for the tests, and small servers on loopback for them to talk to."""

import os
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dynreg_tools.virtualboard import Board  # noqa: E402


@pytest.fixture
def board(tmp_path):
    return Board.new(tmp_path / "board", wifi={"lab": "pw"}, mac="24:6f:28:01:02:03")


@pytest.fixture
def run_main(board):
    """Runs main.py on the board to the prompt and returns what it printed."""

    def run(source, timeout=10, **power):
        board.write_file("/main.py", source)
        with board.power_on(**power) as running:
            running.wait_repl(timeout)
            text = running.output.replace("\r\n", "\n")
        return text.split("RESET)\n", 1)[1].split("MicroPython ", 1)[0]

    return run


@pytest.fixture
def silent_server():
    """A TCP server that accepts and never answers; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def echo_server():
    """A TCP server that sends back what it gets; its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                while data := self.request.recv(4096):
                    self.request.sendall(data)
            except ConnectionError:
                pass  # the board let go of it

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def mpremote(tmp_path):
    """Runs the real mpremote on a port; (exit code, output)."""

    def run(port, *arguments, timeout=30, cwd=tmp_path):
        command = [str(Path(sys.executable).parent / "mpremote"), "connect", port, *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        return done.returncode, done.stdout + done.stderr

    return run
