"""Messages to all devices of a product at once. Source: protocol section 7 (broadcast)."""

from .. import rules
from ..store import Store
from .service import Publish, own


class Broadcasts:
    """Sends them; devices answer nothing."""

    def __init__(self, store: Store, publish: Publish) -> None:
        self._store = store
        self._publish = publish

    def send(self, product_id: str, payload: bytes) -> int:
        """To how many devices; HubError: too large."""
        rules.check_payload(payload)
        return sum(
            self._publish(f"$broadcast/rxd/{own(device)}", payload)
            for device in self._store.devices(product_id)
        )
