"""Products, devices and their states in one SQLite file, hub.db, which survives restarts.

Source of the states: protocol section 3 (activation, RegisterType, RegisterLimit). The file holds
secrets, hence mode 0600, but never a private key. One process at a time may have it open. What was
told to a device outlives a kill of the process; a power cut of this machine may take the last
seconds back, since waiting for the disk at each change takes longer than all the rest.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from .. import files
from . import database, sessions
from .rules import HubError

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS products (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    made_here INTEGER NOT NULL,
    register_type INTEGER NOT NULL,
    register_limit INTEGER NOT NULL,
    used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS devices (
    product_id TEXT NOT NULL REFERENCES products (id),
    name TEXT NOT NULL,
    psk TEXT,
    automatic INTEGER NOT NULL,
    activated INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    PRIMARY KEY (product_id, name)
);
CREATE INDEX IF NOT EXISTS devices_by_client_id ON devices (product_id || name);
"""
    + sessions.SCHEMA
)
_LATER_COLUMNS = (  # which a file of an earlier hub has not yet
    ("products", "auth_mode", "TEXT NOT NULL DEFAULT 'key'"),
    ("products", "own_ca", "TEXT"),
    ("devices", "fingerprint", "TEXT"),
    ("devices", "disabled", "INTEGER NOT NULL DEFAULT 0"),
)
_PRODUCT = "id, secret, made_here, register_type, register_limit, auth_mode, own_ca"


@dataclass(frozen=True, slots=True)
class Product:
    """A product; `made_here` says that the hub itself made its secret.

    `auth_mode` is "key" or "cert", `own_ca` the PEM of the CA that issues the certificates of its
    devices when the hub does not.
    """

    id: str
    secret: str
    made_here: bool
    register_type: int
    register_limit: int
    auth_mode: str = "key"
    own_ca: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device; `created` is Unix seconds, `auth_mode` its product's.

    Once registered it has a `psk` (base64) or the `fingerprint` of a certificate (SHA-256, hex).
    One that is `disabled` may neither register nor log in.
    """

    product_id: str
    name: str
    psk: str | None
    fingerprint: str | None
    auth_mode: str
    automatic: bool
    activated: bool
    created: int
    disabled: bool = False


class Store:
    """The tables; opened, used and closed in one thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; HubError when that cannot be done."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, files.PRIVATE))
            files.narrow(path)  # SQLite gives its other files the same mode
            self._db = database.connect(path)
        except (OSError, sqlite3.Error) as exc:
            raise HubError(f"cannot open {path}: {exc}") from exc
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(f"BEGIN EXCLUSIVE; {_SCHEMA} COMMIT;")
            self._add_columns()
            self._db.execute("PRAGMA foreign_keys = ON")
        except (sqlite3.Error, database.StoreError) as exc:
            self._db.close()
            if "locked" in str(exc):
                raise HubError(f"{path} is in use by another hub") from exc
            raise HubError(f"cannot use {path}: {exc}") from exc
        self.sessions = sessions.Sessions(self._db.execute)

    def _add_columns(self) -> None:
        for table, column, kind in _LATER_COLUMNS:
            there = [row[1] for row in self._db.execute(f"PRAGMA table_info ({table})")]
            if column not in there:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def tables(self, schema: str) -> Callable[..., sqlite3.Cursor]:
        """Make tables of a service's own, and what runs SQL on them: as Database.execute()."""
        self._db.executescript(f"BEGIN EXCLUSIVE; {schema} COMMIT;")
        return self._db.execute

    def close(self) -> None:
        """Close the file and let another hub have it."""
        self._db.close()

    def save_product(self, product: Product) -> None:
        """Insert or replace a product and note it as the one used last."""
        columns = f"{_PRODUCT}, used".split(", ")
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._db.execute(
            f"INSERT INTO products ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (id) DO UPDATE SET {changes}",
            (*astuple(product), time.time()),
        )

    def product(self, product_id: str) -> Product | None:
        """A product by its id."""
        return self._product("WHERE id = ?", product_id)

    def last_product(self) -> Product | None:
        """The product that was used last in this data directory."""
        return self._product("ORDER BY used DESC")

    def products(self) -> list[Product]:
        """All products, the one with the longest id first."""
        rows = self._db.execute(f"SELECT {_PRODUCT} FROM products ORDER BY length(id) DESC")
        return [_product(row) for row in rows]

    def product_ids(self) -> list[str]:
        """The ids of all products, the longest first."""
        return [product.id for product in self.products()]

    def _product(self, clause: str, *values: str) -> Product | None:
        row = self._db.execute(
            f"SELECT {_PRODUCT} FROM products {clause} LIMIT 1", values
        ).fetchone()
        return _product(row) if row else None

    def device(self, product_id: str, name: str) -> Device | None:
        """A device by its product and name."""
        return next(iter(self._devices("product_id = ? AND name = ?", product_id, name)), None)

    def device_by_client_id(self, client_id: str) -> Device | None:
        """The device whose product id and name, written together, are `client_id`."""
        return next(iter(self._devices("product_id || name = ?", client_id)), None)

    def devices(self, product_id: str) -> list[Device]:
        """All devices of a product by name."""
        return self._devices("product_id = ?", product_id)

    def _devices(self, condition: str, *values: str) -> list[Device]:
        rows = self._db.execute(
            "SELECT product_id, name, psk, fingerprint, auth_mode, automatic, activated, created,"
            " disabled"
            f" FROM devices JOIN products ON id = product_id WHERE {condition} ORDER BY name",
            values,
        )
        return [_device(row) for row in rows]

    def automatic_count(self, product_id: str) -> int:
        """How many devices RegisterLimit counts: those created by a registration."""
        return self._db.execute(
            "SELECT count(*) FROM devices WHERE product_id = ? AND automatic", (product_id,)
        ).fetchone()[0]

    def add_device(
        self,
        product_id: str,
        name: str,
        psk: str | None = None,
        fingerprint: str | None = None,
        *,
        automatic: bool = False,
    ) -> None:
        """Create a device; HubError when it exists."""
        try:
            self._db.execute(
                "INSERT INTO devices (product_id, name, psk, fingerprint, automatic, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (product_id, name, psk, fingerprint, automatic, int(time.time())),
            )
        except sqlite3.IntegrityError as exc:
            raise HubError(f"the device {name} exists already") from exc

    def set_credential(
        self, product_id: str, name: str, psk: str | None, fingerprint: str | None
    ) -> None:
        """Give a device a new secret or certificate; the one before is no longer good."""
        self._db.execute(
            "UPDATE devices SET psk = ?, fingerprint = ? WHERE product_id = ? AND name = ?",
            (psk, fingerprint, product_id, name),
        )

    def activate(self, product_id: str, name: str) -> None:
        """Note the first successful login; from now on registration is refused."""
        self._db.execute(
            "UPDATE devices SET activated = 1 WHERE product_id = ? AND name = ?",
            (product_id, name),
        )

    def set_disabled(self, product_id: str, name: str, disabled: bool) -> None:
        """Disable a device, or enable it again."""
        self._db.execute(
            "UPDATE devices SET disabled = ? WHERE product_id = ? AND name = ?",
            (disabled, product_id, name),
        )

    def delete_device(self, product_id: str, name: str) -> bool:
        """Forget a device and its session, so that it can register again; False: there is none."""
        cursor = self._db.execute(
            "DELETE FROM devices WHERE product_id = ? AND name = ?", (product_id, name)
        )
        return cursor.rowcount > 0


def _product(row: Sequence[Any]) -> Product:
    """A product of the columns _PRODUCT."""
    identity, secret, made_here, kind, limit, auth_mode, own_ca = row
    return Product(identity, secret, bool(made_here), kind, limit, auth_mode, own_ca)


def _device(row: Sequence[Any]) -> Device:
    product_id, name, psk, fingerprint, mode, automatic, activated, created, disabled = row
    flags = bool(automatic), bool(activated)
    return Device(product_id, name, psk, fingerprint, mode, *flags, created, bool(disabled))
