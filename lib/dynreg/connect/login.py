"""CONNECT on a link that stands, its answer, and the time asked for behind it."""

from micropython import const
from ubinascii import a2b_base64, hexlify
from umqtt import simple

from .. import log, port
from ..errors import NetworkError, ProtocolError
from .adapter import through
from .hmac import hmac

_EARLY_MS = const(2000)  # how long after the CONNACK an early request's answer is waited for
_EARLY_ID = const(65535)  # the last that a session takes: its SUBACK may come late
# In history["early"]; 4 is of mqtt/timesync.py:
_SUSPECTED = const(1)  # once; one lost connection proves nothing
_TURNED_DOWN = const(2)
_PERHAPS = const(16)  # the last try had one and failed: this one goes without
_GOOD_S = const(3600)  # how long a user name is good for connecting, by our clock
# What needs no clock (docs/protocol.md, 4).
_NO_CLOCK = const(2147483647)
_ALPHANUMERIC = const(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def login(info, link, keepalive, history, early, psk):
    """Logs in on link with a fresh user name.

    early: whether the time may be asked for behind the CONNECT. history: as notes.read() gives it;
    what the broker turns down goes in. psk: whether the link is TLS-PSK, which has proved who we
    are: then the CONNECT has a user name and no password (docs/protocol.md, 4).
    Gives (packet id, ticks_ms when the time was asked for, ticks_ms when an answer came), or None
    where none came.
    NetworkError, ProtocolError; LoginError: the broker's refusal.
    """
    endpoint = info.mqtt
    # A certificate has proved who we are by then: the password is not looked at.
    key = a2b_base64(info.credential if info.mode == "KEY" else "")
    connid = bytes(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5)).decode()
    now = port.unix_time()
    # Our clock may be behind the broker's: after a refusal the other kind has its turn.
    expiry = now + _GOOD_S if now and not history["refusals"] & 1 else _NO_CLOCK
    user, password = signed(info.client_id, key, "%s;%d" % (connid, expiry))
    past = history["early"]
    asks = early and past <= _TURNED_DOWN
    if past == _TURNED_DOWN:
        asks = asks and port.random_bytes(1)[0] < 16  # doubted once in 16 boots
    if asks:
        from ..mqtt.encode import ask_time

        link.tail = ask_time(_EARLY_ID, info.owner)
    log.info("connect: CONNECT, clean session, keep-alive %d s" % keepalive)
    answered = None
    try:
        if psk:
            _connect(link, info.client_id, user, keepalive)
        else:
            client = simple.MQTTClient(
                info.client_id, endpoint.host, endpoint.port, user, password, keepalive
            )
            through(simple, link, endpoint, client.connect)
        if asks and link.ready(_EARLY_MS):
            answered = _EARLY_ID, link.asked, port.ticks_ms()
    except simple.MQTTException as error:
        raise port.step("connect.backoff", "refusal", history, error.args[0]) from None
    except (NetworkError, ProtocolError) as error:
        if link.asked is not None:
            # Perhaps for the early request: the next try, without one, will tell.
            history["early"] = past | _PERHAPS
            error.retry = True
        else:
            history["early"] = past & ~_PERHAPS
        raise
    if asks or past >= _PERHAPS:
        found = _SUSPECTED if past == _PERHAPS else 0 if answered else _TURNED_DOWN
        if found != past:
            history["early"] = found
            history["changed"] = True
    history["refusals"] = 0
    return answered


def _connect(link, client_id, user, keepalive):
    """CONNECT without a password, which no release of umqtt.simple writes, and its answer."""
    from ..mqtt.encode import packet

    head = b"\x04\x82" + keepalive.to_bytes(2, "big")  # level 4; user name, clean session
    link.write(packet(0x10, "MQTT", head, client_id, user))
    answer = link.read(4)
    if answer[:2] != b"\x20\x02":
        raise ProtocolError("protocol.reply", "%s answers with no CONNACK" % link.host)
    if answer[3]:
        raise simple.MQTTException(answer[3])


def signed(client_id, key, tail):
    """(user name, password) for CONNECT (docs/protocol.md, 4).

    key: the device secret's bytes. tail: "{connid};{expiry}".
    """
    user = "%s;12010126;%s" % (client_id, tail)  # the SDK's app id
    return user, hexlify(hmac(key, user.encode())).decode() + ";hmacsha256"
