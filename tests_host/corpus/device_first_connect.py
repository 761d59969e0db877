"""The first connect: a stored secret that never logged in, and the spread of a site's boards."""

import json

import canaries
import fakes
import gateway
import packets
from dynreg import Device, port
from dynreg.storage import store
from registered import GOOD, Board

OTHER = "b3RoZXItc2VjcmV0LW90aGVy"


# --- a stored secret that never logged in -------------------------------------------------------


def _stale(*peers, day=0, secret=OTHER):
    """A board whose stored secret is refused three times, before these peers."""
    refused = [fakes.Peer(packets.connack(4)) for _ in range(3)]
    board = Board(*refused, *peers, psk=False, endpoint={"gateway": "http://hub.local"})
    device = board.boot()
    store.store(device.info, secret)
    device = board.boot()
    device.history["day"] = day
    return board, device


def test_a_stored_secret_that_never_logged_in_and_is_refused_registers_once_more():
    gateways = fakes.Peer(gateway.http(gateway.good()))
    board, device = _stale(gateways, fakes.Peer(GOOD))
    device.connect(60, 0)
    assert device.registered_now
    assert json.loads(fakes.read(board.path))["key_deviceinfo"]["deviceSecret"] == (
        canaries.DEVICE_SECRET
    )
    assert Device(board.path).info.credential == canaries.DEVICE_SECRET
    assert board.clock.passed < 60000


def test_where_the_cloud_refuses_that_the_stored_secret_stays():
    activated = fakes.Peer(gateway.http(gateway.refusal("Activated", "has been activated")))
    board, device = _stale(activated, fakes.Peer(GOOD))
    device.connect(60, 0)
    assert not device.registered_now
    assert Device(board.path).info.credential == OTHER
    assert board.clock.passed >= 900000


def test_a_secret_that_has_logged_in_never_registers_once_more():
    board, device = _stale(fakes.Peer(GOOD), day=1)
    device.connect(60, 0)
    assert not device.registered_now
    assert Device(board.path).info.credential == OTHER


# --- a spread of the first try ------------------------------------------------------------------


def test_a_spread_puts_the_first_connect_anywhere_within_it():
    for drawn, waits in ((b"\0\0\0\0", 0), (b"\0\0\xea\x60", 60000), (b"\0\0\xea\x61", 0)):
        peer = fakes.Peer(GOOD)
        board = Board(peer, psk=False, spread=60)
        device = board.boot()
        fakes.replace(port, "random_bytes", lambda size, drawn=drawn: drawn[-size:])
        device.connect()
        assert waits <= peer.met <= waits + 1000, (drawn, peer.met)
        fakes.restore()


def test_a_spread_delays_no_reconnect():
    board = Board(fakes.Peer(GOOD), fakes.Peer(GOOD), psk=False, spread=3600)
    device = board.boot()
    device.connect()
    device.session.close()
    before = board.clock.passed
    device.connect()
    assert board.clock.passed - before < 10000
