"""What is measured side by side: this library in its variants, the obvious program, any other."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """One row of the table.

    program: of programs/, or None for a peer's `command`. psk: whether the hub offers TLS-PSK.
    early: what "early" says in device_info.json, whether anything goes out before its turn.
    """

    name: str
    title: str
    program: str | None
    psk: bool = True
    early: bool = True
    command: str = ""


REFERENCE = Client("dynreg", "dynreg, PSK offered", "ours")
OBVIOUS = Client("obvious", "the obvious program", "obvious")
CLIENTS = (
    REFERENCE,
    Client("dynreg-late", "dynreg, PSK offered, nothing early", "ours", early=False),
    Client("dynreg-ca", "dynreg, no PSK", "ours", psk=False),
    Client("dynreg-ca-late", "dynreg, no PSK, nothing early", "ours", psk=False, early=False),
    OBVIOUS,
)
BY_NAME = {client.name: client for client in CLIENTS}


def peer(command: str) -> Client:
    """A client that is not ours: a shell command that registers, logs in, asks for the time."""
    return Client("peer", "peer", None, command=command)
