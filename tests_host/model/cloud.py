"""The cloud of the model: the local hub's own rules over tables in memory, and its console.

Nothing waits here and nothing has a socket; what reaches it is bytes, as on the wire.
"""

import json
from dataclasses import replace
from types import SimpleNamespace

from dynreg_tools.hub.http import credentials
from dynreg_tools.hub.http.registration import OFF, PRE_CREATED, refusal, register
from dynreg_tools.hub.limits import Limits
from dynreg_tools.hub.mqtt import framing, login, packets
from dynreg_tools.hub.store import Device, Product

PRODUCT = "ABCDEFGHIJ"
_LIMITS = Limits(strict=True)


class Tables:
    """What dynreg_tools.hub.store.Store has in SQLite."""

    def __init__(self, product):
        self.products = {product.id: product}
        self.rows = {}  # Device by (product id, name)

    def product(self, product_id):
        return self.products.get(product_id)

    def product_ids(self):
        return list(self.products)

    def device(self, product_id, name):
        return self.rows.get((product_id, name))

    def device_by_client_id(self, client_id):
        return next((d for d in self.rows.values() if d.product_id + d.name == client_id), None)

    def automatic_count(self, product_id):
        return len([d for d in self.rows.values() if d.product_id == product_id and d.automatic])

    def add_device(self, product_id, name, psk=None, fingerprint=None, *, automatic=False):
        self.rows[product_id, name] = Device(
            product_id, name, psk, fingerprint, "key", automatic, False, 0
        )

    def set_credential(self, product_id, name, psk, fingerprint):
        row = self.rows[product_id, name]
        self.rows[product_id, name] = replace(row, psk=psk, fingerprint=fingerprint)

    def activate(self, product_id, name):
        row = self.rows[product_id, name]
        self.rows[product_id, name] = replace(row, activated=True)

    def delete_device(self, product_id, name):
        return self.rows.pop((product_id, name), None) is not None


class Cloud:
    """Gateway, broker and console. issued: all secrets ever given, by owner ("product/name").

    psk: whether TLS-PSK is offered. random: a random.Random, of which secrets are made.
    """

    def __init__(self, secret, psk, random):
        credentials.secrets = SimpleNamespace(token_bytes=random.randbytes)
        self.tables = Tables(Product(PRODUCT, secret, True, 2, 1000))
        self.psk = psk
        self.disabled = set()
        self.issued = {}

    # --- the console ---------------------------------------------------------------------------

    def switch(self, register_type):
        self.tables.products[PRODUCT] = replace(
            self.tables.products[PRODUCT], register_type=register_type
        )

    def delete(self, name):
        self.disabled.discard(name)
        self.tables.delete_device(PRODUCT, name)

    def row(self, name):
        return self.tables.device(PRODUCT, name)

    # --- what the model asks ---------------------------------------------------------------------

    def accepts(self, name, secret):
        """Whether a login of the device with this secret is good."""
        row = self.row(name)
        return bool(row) and row.psk == secret and name not in self.disabled

    def would_register(self, name, secret):
        """Whether a registration signed with this product secret would be granted, and be of use.

        None, or the word for why not.
        """
        product, row = self.tables.products[PRODUCT], self.row(name)
        if secret != product.secret:
            return "product secret"
        if product.register_type == OFF:
            return "registration is off"
        if row is None and product.register_type == PRE_CREATED:
            return "not created"
        if row and row.activated:
            return "activated"
        return "disabled" if name in self.disabled else None

    # --- the wire --------------------------------------------------------------------------------

    def request(self, headers, body, now, busy):
        """(HTTP reply, the name to which a secret was given, or None)."""
        if busy:
            reply = refusal("RequestLimitExceeded", "too many requests, try again later")
        else:
            reply = register(self.tables, headers, body, now, _LIMITS)
        name = reply.fields.get("device_name") if reply.event == "registered" else None
        if name:
            self.issued.setdefault(f"{PRODUCT}/{name}", []).append(self.row(name).psk)
        return _http(reply.body), name

    def connect(self, packet, peer, now):
        """(CONNACK code, the Device that logged in, or None); None for no answer at all."""
        try:
            device = login.check_login(self.tables, packet, peer, now, strict=True)
        except login.Refused as refused:
            return refused.code, None
        if device.name in self.disabled:
            return login.NOT_AUTHORIZED, None
        self.tables.activate(PRODUCT, device.name)
        return login.ACCEPTED, device


def _http(body):
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
    return head.encode() + b"\r\n\r\n" + data


def http_request(data):
    """(headers by lower-case name, body) of a whole request, else None."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.decode().split("\r\n")[1:]
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
    return (headers, body) if len(body) >= int(headers.get("content-length", 0)) else None


def answer(device, packet, now_ms):
    """What the broker sends for a packet after CONNECT."""
    if isinstance(packet, packets.Subscribe):
        return framing.suback(packet.packet_id, packet.filters[0][1])
    if isinstance(packet, packets.Pingreq):
        return framing.pingresp()
    own = f"$sys/operation/{PRODUCT}/{device.name}"
    if isinstance(packet, packets.Publish) and packet.topic == own:
        time = {"type": "get", "time": now_ms // 1000, "ntptime1": now_ms, "ntptime2": now_ms}
        topic = f"$sys/operation/result/{PRODUCT}/{device.name}"
        return framing.publish(topic, json.dumps(time).encode())
    return b""
