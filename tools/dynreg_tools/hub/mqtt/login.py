"""Who may log in over MQTT: a CONNECT and what the transport says about the other end.

Source: protocol section 4 (client id, user name, password, client certificate, PSK, limits).
"""

from dataclasses import dataclass

from .. import rules
from ..store import Device, Store
from .packets import NEW, OLD, Connect

ACCEPTED, BAD_LEVEL, BAD_CLIENT_ID, BAD_CREDENTIALS, NOT_AUTHORIZED = 0, 1, 2, 4, 5


class Refused(Exception):
    """A login that gets this CONNACK `code`, or none at all when it is None."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection, as its transport knows it.

    `security` is "certificate" (TLS with the hub's certificate), "psk" or "none", `fingerprint`
    the SHA-256 in hex of the client certificate, which TLS has found good, or None without one,
    `psk_identity` whose key TLS has found good, or None where it does not say.
    """

    security: str
    fingerprint: str | None = None
    psk_identity: str | None = None


def check_login(
    store: Store, connect: Connect, peer: Peer, now: float, *, strict: bool = False
) -> Device:
    """The device that logs in, or Refused; `now` is Unix seconds.

    `strict` refuses what this project's library never sends (protocol section 7a).
    """
    if connect.protocol != NEW and (strict or connect.protocol != OLD):
        raise Refused(BAD_LEVEL, f"protocol is {connect.name} level {connect.level}, not MQTT 4")
    device = store.device_by_client_id(connect.client_id)
    if device is None and not _is_client_id(store, connect.client_id):
        raise Refused(BAD_CLIENT_ID, "client id is not {product id}{device name}")
    if peer.security == "psk":
        _check_identity(connect, peer)
    if connect.will:
        raise Refused(None, "a will is not supported")
    if strict and not connect.clean:
        raise Refused(None, "a session that is to be kept is not what the library asks for")
    if connect.keepalive > rules.MAX_KEEPALIVE:
        raise Refused(None, f"keep-alive over {rules.MAX_KEEPALIVE} s")
    if connect.username is None:
        raise Refused(BAD_CREDENTIALS, "username is missing")
    if device is None:
        raise Refused(NOT_AUTHORIZED, "no such device")
    if device.disabled:
        raise Refused(NOT_AUTHORIZED, "the device is disabled")
    if device.auth_mode == rules.CERTIFICATE:
        _check_certificate(device, peer)
    else:
        _check_key(device, connect, peer)
    fault = rules.username_fault(connect.client_id, connect.username, now, strict=strict)
    if fault is None and device.psk is not None and connect.password is not None:
        fault = rules.password_fault(connect.username, connect.password, device.psk, strict=strict)
    if fault is not None:
        raise Refused(BAD_CREDENTIALS, fault)
    return device


def _is_client_id(store: Store, client_id: str) -> bool:
    return any(
        client_id.startswith(product_id) and rules.is_device_name(client_id[len(product_id) :])
        for product_id in store.product_ids()
    )


def _check_identity(connect: Connect, peer: Peer) -> None:
    if peer.psk_identity is None:  # the key that made the session may be no longer good
        raise Refused(NOT_AUTHORIZED, "a resumed TLS-PSK session is not accepted")
    if peer.psk_identity != connect.client_id:
        raise Refused(NOT_AUTHORIZED, "the TLS-PSK identity is not the client id")


def _check_key(device: Device, connect: Connect, peer: Peer) -> None:
    """A password, but over TLS-PSK, whose handshake has proved the same key; there it may be."""
    if connect.password is None and peer.security != "psk":
        raise Refused(BAD_CREDENTIALS, "password is missing")
    if device.psk is None:
        raise Refused(NOT_AUTHORIZED, "the device has not registered")


def _check_certificate(device: Device, peer: Peer) -> None:
    """The certificate on record and no other; a password is neither needed nor looked at."""
    if device.fingerprint is None:
        raise Refused(NOT_AUTHORIZED, "the device has not registered")
    if peer.security == "none":
        raise Refused(NOT_AUTHORIZED, "a certificate device logs in over TLS only")
    if peer.fingerprint is None:
        raise Refused(NOT_AUTHORIZED, "the device has shown no client certificate")
    if peer.fingerprint != device.fingerprint:
        raise Refused(NOT_AUTHORIZED, "the client certificate is not the device's latest one")
