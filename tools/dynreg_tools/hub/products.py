"""Which product a hub serves: the one that was asked for, the one used last, or a new one."""

import secrets
import string

from . import rules
from .rules import HubError
from .settings import Settings
from .store import Product, Store

_PRODUCT_ID_SIZE, _SECRET_SIZE = 10, 24


def choose_product(store: Store, settings: Settings) -> tuple[Product, bool]:
    """The product to serve, and whether the hub itself made its secret.

    It is kept in the store, and so are the devices that the settings name. HubError when it has
    devices of the other auth mode.
    """
    wanted, secret = settings.product_id, settings.product_secret
    kept = store.product(wanted) if wanted else store.last_product()
    made_here = secret is None and (kept is None or kept.made_here)
    if secret is None:
        secret = kept.secret if kept else _random(string.ascii_letters, _SECRET_SIZE)
    product_id = wanted or (kept.id if kept else _random(string.ascii_uppercase, _PRODUCT_ID_SIZE))
    mode, own_ca = _auth_mode(store, settings, kept)
    product = Product(
        product_id,
        secret,
        made_here,
        settings.register_type,
        settings.register_limit,
        mode,
        own_ca,
    )
    store.save_product(product)
    for name in settings.devices:
        if store.device(product_id, name) is None:
            store.add_device(product_id, name)
    return product, made_here


def _auth_mode(store: Store, settings: Settings, kept: Product | None) -> tuple[str, str | None]:
    """The auth mode and the own CA's PEM: the settings', else as they were."""
    own_ca = settings.own_ca_pem
    mode = settings.auth_mode or (rules.CERTIFICATE if own_ca else None)
    if kept is None:
        return mode or rules.KEY, own_ca
    if mode is None or mode == kept.auth_mode:
        return kept.auth_mode, own_ca or kept.own_ca
    if any(device.psk or device.fingerprint for device in store.devices(kept.id)):
        raise HubError(
            f"the product {kept.id} has devices registered in auth mode {kept.auth_mode}: "
            "take another product id or data directory"
        )
    return mode, own_ca


def _random(letters: str, size: int) -> str:
    return "".join(secrets.choice(letters + string.digits) for _ in range(size))
