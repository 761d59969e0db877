"""What the cloud's console and API do with a product and its devices, in the hub's loop."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from . import rules
from .events import Journal
from .mqtt.broker import Broker
from .rules import CERTIFICATE, HubError
from .settings import check_device_name
from .store import Device, Product, Store

_OF_A_SESSION = {"login", "subscribe", "unsubscribe", "publish", "time_answered"}


class NoSuchDevice(HubError):
    """The product has no device of this name."""


class Management:
    """The console of `product`; each change is reported by an event."""

    def __init__(self, product: Product, store: Store, broker: Broker, journal: Journal) -> None:
        self.product = product
        self._store = store
        self._broker = broker
        self._emit = journal.emit
        self._last_seen: dict[str, str] = {}  # by client id
        journal.listen(self._note)

    def _note(self, entry: dict, _: bytes | None) -> None:
        """Only of devices that have logged in, or strangers would fill the memory."""
        client_id = entry.get("client_id", "")
        if entry["event"] in _OF_A_SESSION or client_id in self._last_seen:
            self._last_seen[client_id] = entry["at"]

    def product_row(self) -> dict:
        """The product without its secret."""
        return {
            "product_id": self.product.id,
            "auth_mode": self.product.auth_mode,
            "register_type": self.product.register_type,
            "register_limit": self.product.register_limit,
        }

    def set_product(self, register_type: int | None, register_limit: int | None) -> None:
        """Turn the switches of registration (protocol section 3); None leaves one as it is."""
        given = {"register_type": register_type, "register_limit": register_limit}
        changes = {name: value for name, value in given.items() if value is not None}
        self.product = replace(self.product, **changes)
        self._store.save_product(self.product)
        row = self.product_row()
        self._emit("product", **{name: row[name] for name in given})

    def devices(self) -> list[Device]:
        """The product's devices by name."""
        return self._store.devices(self.product.id)

    def rows(self) -> list[dict]:
        """The devices as the HTTP interface shows them, without any secret."""
        return [self._row(device) for device in self.devices()]

    def row(self, name: str) -> dict:
        """One of them, so; NoSuchDevice."""
        return self._row(self.device(name))

    def _row(self, device: Device) -> dict:
        client_id = device.product_id + device.name
        connection = self._broker.connection(client_id)
        created = datetime.fromtimestamp(device.created, UTC).isoformat()
        return {
            "name": device.name,
            "mode": device.auth_mode,
            "registered": bool(device.psk or device.fingerprint),
            "activated": device.activated,
            "disabled": device.disabled,
            "online": connection is not None,
            "tls": connection and connection.peer.security,
            "last_seen": self._last_seen.get(client_id),
            "fingerprint": device.fingerprint,
            "automatic": device.automatic,
            "created": created.replace("+00:00", "Z"),
            "subscriptions": self._broker.subscriptions(client_id),
        }

    def device(self, name: str) -> Device:
        """One of them; NoSuchDevice."""
        device = self._store.device(self.product.id, name)
        if device is None:
            raise NoSuchDevice(f"there is no device {name[: rules.MAX_DEVICE_NAME]!r}")
        return device

    def add(self, name: str, psk: str | None = None) -> None:
        """Create a device beforehand, with a secret in base64 or to be registered.

        HubError where it exists, or its mode knows no secrets.
        """
        check_device_name(name)
        if psk is not None:
            if self.product.auth_mode == CERTIFICATE:
                raise HubError("a device in auth mode cert has no secret")
            try:
                base64.b64decode(psk, validate=True)
            except binascii.Error as exc:
                raise HubError("the device secret is not base64") from exc
        self._store.add_device(self.product.id, name, psk)
        self._report("precreated", name)

    def precreate(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """The names created now, and those that were there; HubError, and none, if one is bad."""
        for name in names:
            check_device_name(name)
        there = {device.name for device in self.devices()}
        wanted = list(dict.fromkeys(names))
        created = [name for name in wanted if name not in there]
        for name in created:
            self.add(name)
        return created, [name for name in wanted if name in there]

    def delete(self, name: str) -> None:
        """Forget a device and end its session, so that it can register again; NoSuchDevice."""
        device = self.device(name)
        self._store.delete_device(self.product.id, name)
        self._last_seen.pop(device.product_id + name, None)
        self._report("deleted", name)
        self.kick_client(name)

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Refuse a device's logins and registrations and end its session, or take that back."""
        device = self.device(name)
        if device.disabled == disabled:
            return
        self._store.set_disabled(self.product.id, name, disabled)
        self._report("disabled" if disabled else "enabled", name)
        if disabled:
            self.kick_client(name)

    def kick(self, name: str) -> bool:
        """End a device's session; False when it has none; NoSuchDevice."""
        self.device(name)
        return self.kick_client(name)

    def kick_client(self, name: str) -> bool:
        """The same for a name that may be no device's any more."""
        return self._broker.kick(self.product.id + name)

    def send(self, name: str, topic: str, payload: bytes, qos: int = 0) -> tuple[str, int]:
        """Send a message; the full topic, and how many get it, at once or when they log in again.

        A topic without `/` and `$` is the device's own, {product} and {device} in another stand
        for this one's. NoSuchDevice; HubError where topic or payload break protocol section 4.
        """
        device = self.device(name)
        own = topic if "/" in topic or topic.startswith("$") else f"{{product}}/{{device}}/{topic}"
        full = own.replace("{product}", device.product_id).replace("{device}", name)
        fault = rules.topic_fault(full) if topic else "the topic is empty"
        if set(full) & set("+#\0"):
            fault = "a topic of a message holds no wildcard and no NUL"
        if fault:
            raise HubError(fault)
        rules.check_payload(payload)
        return full, self._broker.publish(full, payload, qos)

    def _report(self, event: str, name: str) -> None:
        self._emit(event, product_id=self.product.id, device_name=name)
