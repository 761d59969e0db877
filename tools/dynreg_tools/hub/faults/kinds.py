"""What a fault is: its row in the catalogue (Kind), and one that is switched on (Fault)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..rules import HubError

LISTEN = "listen"
GATEWAY, BROKER = "gateway", "broker"
SERVICES = (GATEWAY, BROKER)


class FaultError(HubError):
    """No such fault, or no such argument; the message is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A fault's argument: what it means, its default, and what reads it (ValueError: bad)."""

    meaning: str
    default: Any
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the catalogue.

    `hook` names the one place in the hub that asks for it (hooks.py), `act` makes what that place
    then sends or does, `on` narrows it down (a packet type, "tls" for TLS ports). `services` it
    can be aimed at with NAME@SERVICE; empty where it has only one place. With the hook LISTEN it
    is a state of the port, which nobody counts; with `expires` it ends by itself after its
    argument in seconds.
    """

    name: str
    text: str
    hook: str
    act: Callable[..., Any] = lambda *_: None
    argument: Argument | None = None
    on: object = None
    services: tuple[str, ...] = ()
    expires: bool = False

    @property
    def layer(self) -> str:
        """dns, tcp, tls, psk, http, reply, mqtt, time, ntp or ota."""
        return self.name.partition("-")[0]

    def row(self) -> dict:
        """The row as a person and a program read it."""
        argument = self.argument
        return {
            "name": self.name,
            "layer": self.layer,
            "argument": argument and argument.meaning,
            "default": argument and argument.default,
            "services": list(self.services),
            "text": self.text,
        }


@dataclass(slots=True)
class Fault:
    """A fault that is switched on; `left` times more, or until cleared when None."""

    kind: Kind
    argument: Any = None
    service: str | None = None
    left: int | None = None

    def act(self, *given: object) -> Any:
        """What the kind makes of what is given and of the argument."""
        return self.kind.act(*given, self.argument)

    def row(self) -> dict:
        """The fault as the control port shows it."""
        return {
            "name": self.kind.name,
            "argument": self.argument,
            "service": self.service,
            "left": self.left,
        }


def natural(text: str) -> int:
    """0 or more."""
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def seconds(text: str) -> float:
    """0 or more seconds, finite."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return read
