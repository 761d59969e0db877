"""Everything the hub runs, opened and closed in one asyncio loop: store, ports, services."""

import asyncio
import errno
import os
import secrets
import shutil
import socket
import ssl
import string
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trustme

from . import certificates, rules
from .broker import CONNECT_TIMEOUT, Broker
from .events import Journal
from .gateway import IDLE_TIMEOUT, Gateway
from .listener import Listener
from .rules import HubError
from .sntp import Responder
from .store import Product, Store

PORTS = ("http", "https", "mqtt", "mqtts", "ntp")
TLS_PORTS = ("https", "mqtts")
TIME_WINDOW = 300.0
REGISTER_LIMIT = 1000
_ANY = "0.0.0.0"
_LOCAL = ("127.0.0.1", "localhost", _ANY)
_PRODUCT_ID_SIZE, _SECRET_SIZE = 10, 24


@dataclass(frozen=True, slots=True)
class Settings:
    """How a hub is to run; times in seconds, secrets in their documented form.

    `data` is the directory of hub.db and the CA (None: a private temporary one, removed at the
    end). Without `product_id` the directory's last product is taken, or one is made at random.
    With `port_base` P the ports are P to P+4 in the order of PORTS; 0 means free ones.
    `time_window` is how far a registration's timestamp may be off, `connect_interval` the least
    time between two logins of a device (0: no limit), `connect_timeout` and `idle_timeout` how
    long a CONNECT and a whole HTTP request may take to arrive.
    """

    data: str | Path | None = None
    product_id: str | None = None
    product_secret: str | None = None
    register_type: int = 2
    register_limit: int = REGISTER_LIMIT
    host: str = "127.0.0.1"
    port_base: int = 0
    time_window: float = TIME_WINDOW
    devices: Sequence[str] = ()
    cert_key: str = "rsa"
    connect_interval: float = 0
    connect_timeout: float = CONNECT_TIMEOUT
    idle_timeout: float = IDLE_TIMEOUT

    def __post_init__(self) -> None:
        """Raise HubError when a value cannot be."""
        if self.product_id is not None and not rules.is_product_id(self.product_id):
            raise HubError("the product id must be 1 to 32 letters and digits")
        if self.product_secret is not None:
            rules.check_product_secret(self.product_secret)
        for name in self.devices:
            check_device_name(name)
        last = 65535 - len(PORTS) + 1
        if self.port_base != 0 and not 0 < self.port_base <= last:
            raise HubError(f"the port base must be 0 or 1 to {last}")


class Server:
    """An async context manager that opens all of it; HubError when a part cannot be opened."""

    def __init__(self, settings: Settings, journal: Journal, broken: object) -> None:
        self._settings = settings
        self._journal = journal
        self._broken = broken
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Server":
        try:
            await self._open()
        except OSError as exc:
            await self._stack.aclose()
            raise HubError(str(exc)) from exc
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        directory = self._directory()
        self.store = Store(directory / "hub.db")
        self._stack.callback(self.store.close)
        self.product, self.made_secret = self._choose_product()
        sockets = {name: self._bind(index, name) for index, name in enumerate(PORTS)}
        self.ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
        authority = certificates.kept_authority(directory, self._settings.cert_key)
        self.ca_pem = directory / certificates.CA_PEM
        self.ca_der = directory / certificates.CA_DER
        self.own_context = self.context_of(authority)
        self._serve(sockets)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Responder(partial(self._journal.emit, "time_served")), sock=sockets["ntp"]
        )
        self._stack.callback(transport.close)

    def _serve(self, sockets: dict[str, socket.socket]) -> None:
        settings, journal = self._settings, self._journal
        gateway = Gateway(
            self.store,
            journal.emit,
            journal.note_request,
            time_window=settings.time_window,
            idle_timeout=settings.idle_timeout,
        )
        self.broker = Broker(
            self.store,
            journal.emit,
            journal.note_packet,
            connect_interval=settings.connect_interval,
            connect_timeout=settings.connect_timeout,
        )
        services = {
            "http": partial(gateway.serve, "http"),
            "https": partial(gateway.serve, "https"),
            "mqtt": partial(self.broker.serve, "none"),
            "mqtts": partial(self.broker.serve, "certificate"),
        }
        self._listeners = {}
        for name, serve in services.items():
            self._listeners[name] = Listener(
                sockets[name],
                serve,
                context=self.own_context if name in TLS_PORTS else None,
                tls_failed=partial(self._tls_failed, name),
                broken=self._broken,
            )
            self._stack.push_async_callback(self._listeners[name].close)

    def use_context(self, context: ssl.SSLContext) -> None:
        """Serve new TLS connections with this context."""
        for name in TLS_PORTS:
            self._listeners[name].context = context

    def context_of(self, authority: trustme.CA) -> ssl.SSLContext:
        """A TLS context with a certificate of `authority` for this hub's names."""
        names = [n for n in ("localhost", "127.0.0.1", self._settings.host) if n != _ANY]
        return certificates.server_context(authority, names, self._settings.cert_key)

    def urls(self) -> dict:
        """Where the services are, by port name; ntp is (host, port)."""
        host = self._settings.host
        address, name = ("127.0.0.1", "localhost") if host in _LOCAL else (host, host)
        hosts = {"http": address, "https": name, "mqtt": address, "mqtts": name}
        urls = {key: f"{key}://{hosts[key]}:{self.ports[key]}" for key in hosts}
        return {**urls, "ntp": (address, self.ports["ntp"])}

    def _tls_failed(self, port: str, reason: str) -> None:
        self._journal.emit("tls_failed", port=port, reason=reason)

    def _directory(self) -> Path:
        if self._settings.data is None:
            directory = Path(tempfile.mkdtemp(prefix="localhub-"))
            self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
            return directory
        directory = Path(self._settings.data).resolve()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise HubError(f"cannot make the data directory {directory}: {exc.strerror}") from exc
        if not os.access(directory, os.W_OK | os.X_OK):
            raise HubError(f"cannot write to the data directory {directory}")
        return directory

    def _choose_product(self) -> tuple[Product, bool]:
        """The product to serve and whether the hub itself made its secret."""
        settings = self._settings
        wanted, secret = settings.product_id, settings.product_secret
        kept = self.store.product(wanted) if wanted else self.store.last_product()
        made_here = secret is None and (kept is None or kept.made_here)
        if secret is None:
            secret = kept.secret if kept else _random(string.ascii_letters, _SECRET_SIZE)
        product_id = wanted or (
            kept.id if kept else _random(string.ascii_uppercase, _PRODUCT_ID_SIZE)
        )
        product = Product(
            product_id, secret, made_here, settings.register_type, settings.register_limit
        )
        self.store.save_product(product)
        for name in settings.devices:
            if self.store.device(product_id, name) is None:
                self.store.add_device(product_id, name, None)
        return product, made_here

    def _bind(self, index: int, name: str) -> socket.socket:
        host = self._settings.host
        port = self._settings.port_base and self._settings.port_base + index
        try:
            if name == "ntp":
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._stack.callback(sock.close)
                sock.bind((host, port))
            else:
                sock = socket.create_server((host, port))
                self._stack.callback(sock.close)
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                raise HubError(f"port {port} ({name}) on {host} is in use") from exc
            text = exc.strerror or exc
            raise HubError(f"cannot listen on {host} port {port} ({name}): {text}") from exc
        return sock


def check_device_name(name: str) -> None:
    """Raise HubError unless `name` may be a device name."""
    if not rules.is_device_name(name):
        raise HubError(
            f"the device name {name!r} is not 1 to 48 of letters, digits, colon, underscore "
            "and hyphen"
        )


def _random(letters: str, size: int) -> str:
    return "".join(secrets.choice(letters + string.digits) for _ in range(size))
