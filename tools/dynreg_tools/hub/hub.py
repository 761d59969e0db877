"""Hub: the local IoT Hub in a thread of its own, for tests and for the command line."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from .events import Journal, Packet
from .rules import HubError
from .server import Server
from .services.threads import ThreadServices
from .settings import Settings
from .tls import certificates

_START_TIMEOUT = 30.0
_CALL_TIMEOUT = 30.0


P = ParamSpec("P")
T = TypeVar("T")


class Hub:
    """A local IoT Hub: a context manager, or start() and stop().

    `options` are the fields of Settings (settings.py), checked at once. `on_event` gets each event
    (events.py) as a dict, in the hub's thread, with `payloads` also what messages hold; with
    `record` false nothing is kept for tests.

    Once started: `http`, `https`, `mqtt`, `mqtts` and `control` (the HTTP interface) are URLs, as
    is `workbench` (its page, with the token); `ntp` and `dns` are (host, port), `ports` is a dict
    of numbers, `ca_pem` and `ca_der` are paths of the servers' CA, `auth_mode` is the product's,
    `made_secret` says that the hub made `product_secret`, `psk` that mqtts takes PSK; `services`
    is what the cloud's API offers beyond messages (services/threads.py).
    """

    def __init__(
        self,
        data: str | Path | None = None,
        *,
        on_event: Callable[[dict], None] | None = None,
        record: bool = True,
        payloads: bool = False,
        **options: Any,
    ) -> None:
        """Check the options; HubError when one is no good, TypeError when there is no such."""
        self._settings = Settings(data=data, **options)
        self._journal = Journal(on_event, record=record, payloads=payloads)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        """Stop; raises what went wrong inside the hub, unless the block itself failed."""
        self.stop()
        if kind is None and self._failure is not None:
            raise self._failure

    def start(self) -> None:
        """Listen on all ports; HubError when that cannot be done."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="localhub", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_TIMEOUT):
            raise HubError("the hub did not start in time")
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """End all connections and close everything; a second call does nothing."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._main(ready))
        except Exception as exc:  # whatever it is, start() or __exit__ raises it
            self._failure = exc
        finally:
            ready.set()

    async def _main(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._unhandled)
        self._stop = asyncio.Event()
        async with Server(self._settings, self._journal, self._broken) as server:
            self._server = server
            self.ports = server.ports
            urls = server.urls
            self.http, self.https = urls.http, urls.https
            self.mqtt, self.mqtts = urls.mqtt, urls.mqtts
            self.control, self.workbench = urls.control, urls.workbench
            self.ntp, self.dns = urls.ntp, urls.dns
            self.ca_pem, self.ca_der = server.ca_pem, server.ca_der
            self._management = server.management
            self.services = ThreadServices(self._await, server.management, server.services)
            product = server.management.product
            self.product_id, self.product_secret = product.id, product.secret
            self.auth_mode, self.psk = product.auth_mode, server.psk
            self.made_secret = server.made_secret
            ready.set()
            await self._stop.wait()

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a callback raised is a defect as well; else it would only stand on stderr."""
        exc = context.get("exception")
        if isinstance(exc, Exception) and not isinstance(exc, OSError):
            self._broken(exc)
        else:
            loop.default_exception_handler(context)

    def _broken(self, exc: Exception) -> None:
        self._failure = self._failure or exc
        self._journal.emit("internal_error", error=type(exc).__name__)

    def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the hub's thread and give its result or exception."""

        async def call() -> T:
            return function(*args, **kwargs)

        return self._await(call)

    def _await(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(function(), self._loop).result(_CALL_TIMEOUT)

    @property
    def events(self) -> list[dict]:
        """All events so far, a copy."""
        return self._journal.events()

    @property
    def requests(self) -> list[bytes]:
        """The raw bytes of every HTTP request so far, a copy."""
        return list(self._journal.requests)

    @property
    def packets(self) -> list[Packet]:
        """Every MQTT packet so far as (conn, "in" or "out", raw bytes), a copy."""
        return list(self._journal.packets)

    def wait_for(
        self, event_name: str, timeout: float = 5, *, count: int = 1, **match: object
    ) -> dict:
        """The `count`-th event of this name whose fields equal `match`, past or to come.

        TimeoutError when there is none within `timeout` seconds.
        """
        return self._journal.wait_for(event_name, timeout, count, match)

    def devices(self) -> list[dict]:
        """The product's devices: name, mode, psk, fingerprint, activated, automatic, created, …

        `mode` is "key" or "cert"; `psk` is base64 or None, `fingerprint` the SHA-256 of the
        device's certificate in hex or None.
        """
        return [
            {
                "name": device.name,
                "mode": device.auth_mode,
                "psk": device.psk,
                "fingerprint": device.fingerprint,
                "activated": device.activated,
                "automatic": device.automatic,
                "created": device.created,
                "disabled": device.disabled,
            }
            for device in self._call(self._management.devices)
        ]

    def set_product(
        self, *, register_type: int | None = None, register_limit: int | None = None
    ) -> None:
        """Turn the console's switches (protocol section 3); None leaves one as it is."""
        self._call(self._management.set_product, register_type, register_limit)

    def add_device(self, name: str, psk: str | None = None) -> None:
        """Create a device beforehand, with a secret in base64 or to be registered.

        Certificate devices have no secret: they are all to be registered.
        """
        self._call(self._management.add, name, psk)

    def delete_device(self, name: str) -> None:
        """Forget a device with its session and end its connection; it can register again."""
        self._call(self._management.delete, name)

    def set_disabled(self, name: str, disabled: bool = True) -> None:
        """Refuse a device's logins and registrations and end its session, or take that back."""
        self._call(self._management.set_disabled, name, disabled)

    def kick(self, device_name: str) -> bool:
        """End a device's MQTT session; False when it has none."""
        return self._call(self._management.kick_client, device_name)

    def send(self, name: str, topic: str, payload: bytes | str, qos: int = 0) -> int:
        """Send a message to a device's own topic, such as "control"; how many receive it.

        A `topic` with `/` or `$` is taken as a whole, with {product} and {device} for this one's.
        """
        data = payload.encode() if isinstance(payload, str) else payload
        return self._call(self._management.send, name, topic, data, qos)[1]

    def publish(self, topic: str, payload: bytes | str, qos: int = 0) -> int:
        """Send a message to all subscribers of `topic`; how many got it, or will.

        What is kept for a subscriber (docs/protocol.md, 4a) survives the hub once this returns.
        """
        data = payload.encode() if isinstance(payload, str) else payload
        return self._call(self._server.broker.publish, topic, data, qos)

    def fault(self, spec: str) -> None:
        """Switch a fault on, NAME[@SERVICE][:ARG][*TIMES] (faults/); HubError when it is none."""
        self._call(self._server.faults.add, spec)

    def clear_faults(self, name: str | None = None) -> int:
        """Switch off all faults, or one by its name; how many those were."""
        return self._call(self._server.faults.clear, name)

    @property
    def faults(self) -> list[dict]:
        """The faults that are switched on: name, argument, service, left (times; None: no end)."""
        return self._call(self._server.faults.active)

    def exchange_ca(self) -> None:
        """Serve new TLS connections with a certificate of a CA that nobody knows; PSK goes on."""
        unknown_ca = certificates.new_authority(self._settings.cert_key)
        self._call(self._server.use_contexts, self._server.contexts_of(unknown_ca))

    def restore_ca(self) -> None:
        """Undo exchange_ca()."""
        self._call(self._server.use_contexts, self._server.own_contexts)
