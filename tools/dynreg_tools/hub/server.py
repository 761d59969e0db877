"""Everything the hub runs, opened and closed in one asyncio loop: store, ports, services."""

import asyncio
import base64
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import trustme

from ..sources import version
from .addresses import ANY, Urls, reached_at, urls
from .binding import address_of, bind
from .database import StoreError
from .descriptors import Descriptors
from .directory import data_directory
from .events import Journal
from .faults import Faults, Hooks
from .faults.kinds import BROKER, GATEWAY
from .faults.tls import Shown
from .http.downloads import Downloads
from .http.gateway import Gateway
from .listener import Listener
from .management import Management
from .mqtt.broker import Broker
from .ports import Ports
from .products import choose_product
from .rules import CERTIFICATE, KEY, HubError
from .services import Services
from .settings import PORTS, Settings
from .store import Store
from .tls import certificates
from .tls.context import KeyOf, ServerContext, server_context
from .tls.device_ca import DeviceAuthority, load_or_create_device_authority
from .udp.nameserver import NAME, NameServer
from .udp.sntp import Responder

_UDP = ("ntp", "dns")
_SERVICES = {"http": GATEWAY, "https": GATEWAY, "mqtt": BROKER, "mqtts": BROKER}


class Server:
    """An async context manager that opens all of it; HubError when a part cannot be opened."""

    def __init__(
        self, settings: Settings, journal: Journal, broken: Callable[[Exception], None]
    ) -> None:
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
        product, self.made_secret = choose_product(self.store, self._settings)
        sockets = {name: self._bind(index, name) for index, name in enumerate(PORTS)}
        self.ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
        self._authority = certificates.load_or_create_authority(directory, self._settings.cert_key)
        self.ca_pem = directory / certificates.CA_PEM
        self.ca_der = directory / certificates.CA_DER
        self._open_device_authority(directory)
        self.own_contexts = self.contexts_of(self._authority)
        self.psk = self.own_contexts["mqtts"].psk
        self._listeners: dict[str, Listener] = {}
        ports = Ports(self._listeners)
        self._stack.push_async_callback(ports.close)
        self.faults = Faults(self._journal.emit, ports.switched)
        self._hooks = Hooks(self.faults, self._shown)
        self._serve(sockets)
        self.management = Management(product, self.store, self.broker, self._journal)
        self._serve_control(sockets["control"])
        await self._serve_udp(sockets)
        for spec in self._settings.faults:
            self.faults.add(spec)

    async def _serve_udp(self, sockets: dict[str, socket.socket]) -> None:
        emit, loop = self._journal.emit, asyncio.get_running_loop()
        time_server = Responder(partial(emit, "time_served"), self._hooks)
        names = NameServer(
            address_of(sockets["dns"]),
            lambda name: emit("name_asked", name=name),
            self._hooks,
            self._settings.names,
        )
        for name, protocol in (("ntp", time_server), ("dns", names)):
            transport, _ = await loop.create_datagram_endpoint(
                lambda protocol=protocol: protocol, sock=sockets[name]
            )
            self._stack.callback(transport.close)

    def _open_device_authority(self, directory: Path) -> None:
        """Whom to trust with client certificates: the authorities of all the store's products."""
        products = self.store.products()
        self._device_authority: DeviceAuthority | None = None
        self._client_authorities: list[str] = []
        if any(product.auth_mode == CERTIFICATE for product in products):
            self._device_authority = load_or_create_device_authority(
                directory, self._settings.device_key
            )
            own = {product.own_ca for product in products if product.own_ca}
            self._client_authorities = [self._device_authority.pem, *own]

    def _serve(self, sockets: dict[str, socket.socket]) -> None:
        books = self.store, self._journal, self._settings, self._hooks
        self.broker = Broker(*books)
        self.services = Services(
            *(self.store, self._journal, self.broker.publish, self._hooks),
            lambda scheme: self.urls.gateway(scheme),  # noqa: PLW0108 (urls come later)
        )
        self.broker.serve_topics(self.services.by_kind)
        downloads = Downloads(self.services.updates.file, self._hooks)
        gateway = Gateway(*books, downloads, self._device_authority)
        services = {
            "http": partial(gateway.serve, "http"),
            "https": partial(gateway.serve, "https"),
            "mqtt": self.broker.serve,
            "mqtts": self.broker.serve,
        }
        self._descriptors = Descriptors(
            lambda limit: self._journal.emit("out_of_descriptors", limit=limit)
        )
        for name, serve in services.items():
            self._listeners[name] = Listener(
                sockets[name],
                serve,
                context=self.own_contexts.get(name),
                tls_failed=partial(self._tls_failed, name),
                broken=self._broken,
                service=_SERVICES[name],
                faults=self._hooks,
                nodelay=self._settings.nodelay,
                descriptors=self._descriptors,
            )
            self._stack.push_async_callback(self._listeners[name].close)

    def _serve_control(self, sock: socket.socket) -> None:
        """The HTTP interface, which no fault reaches: it switches them off."""
        # Starlette and uvicorn take 0.2 s to import, and the command's help needs neither.
        from .workbench.control import Control, hosts, new_token

        address = sock.getsockname()[0]
        token = new_token(address)
        name = self._settings.control_host
        self.urls: Urls = urls(self._settings.host, name, self.ports, token)
        control = Control(
            self.management,
            self.services,
            self.faults,
            self._journal,
            self._about(),
            hosts=hosts(name, address),
            token=token,
            limit=self._settings.idle_timeout,
            broken=self._broken,
        )
        listener = Listener(
            sock,
            control.serve,
            tls_failed=partial(self._tls_failed, "control"),
            broken=self._broken,
            nodelay=True,
            descriptors=self._descriptors,
        )
        self._stack.push_async_callback(listener.close)

    def _about(self) -> dict:
        """Of GET /product what stays as it is."""
        services = ("http", "https", "mqtt", "mqtts")
        addresses = {name: getattr(self.urls, name) for name in services}
        for name in _UDP:
            addresses[name] = "{}:{}".format(*getattr(self.urls, name))
        return {"psk": self.psk, "version": version(), "addresses": addresses}

    def use_contexts(self, contexts: dict[str, ServerContext]) -> None:
        """Serve new TLS connections with these contexts, given by port name."""
        for name, context in contexts.items():
            self._listeners[name].context = context

    def contexts_of(self, authority: trustme.CA) -> dict[str, ServerContext]:
        """A TLS context for each TLS port, with a certificate of `authority` for this hub."""
        shown = certificates.server_certificate(authority, self._names(), self._settings.cert_key)
        return {name: server_context(shown, *self._clients(name)) for name in ("https", "mqtts")}

    def _clients(self, name: str) -> tuple[Sequence[str], KeyOf | None]:
        """Who may show a certificate, and the keys of TLS-PSK: for the login alone (section 4)."""
        if name != "mqtts":
            return (), None
        return self._client_authorities, self._key_of if self._settings.psk else None

    def _shown(self, service: str) -> Shown:
        clients = self._clients("mqtts" if service == BROKER else "https")
        return Shown(self._authority, self._names(), *clients)

    def _names(self) -> list[str]:
        own = ("localhost", "127.0.0.1", NAME, *reached_at(self._settings.host))
        return [name for name in (*own, *self._settings.names) if name not in ANY]

    def _key_of(self, identity: str) -> bytes | None:
        """A device's key for TLS-PSK (protocol section 4); None for any that has none."""
        try:
            device = self.store.device_by_client_id(identity)
        except StoreError:  # its login would fail as well, and that is said
            return None
        if device is None or device.auth_mode != KEY or device.psk is None:
            return None
        return self._hooks.key(base64.b64decode(device.psk))

    def _tls_failed(self, port: str, reason: str) -> None:
        self._journal.emit("tls_failed", port=port, reason=reason)

    def _directory(self) -> Path:
        if self._settings.data is None:
            directory = Path(tempfile.mkdtemp(prefix="localhub-"))
            self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
            return directory
        return data_directory(self._settings.data)

    def _bind(self, index: int, name: str) -> socket.socket:
        host = self._settings.control_host if name == "control" else self._settings.host
        port = self._settings.port_base and self._settings.port_base + index
        sock = bind(host, port, name, udp=name in _UDP)
        self._stack.callback(sock.close)
        return sock
