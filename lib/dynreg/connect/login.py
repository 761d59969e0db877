"""CONNECT on a link that stands, its answer, and the time asked for behind it."""

from micropython import const
from ubinascii import a2b_base64, hexlify
from umqtt import simple

from .. import log, port
from ..errors import LoginError, NetworkError, ProtocolError
from .adapter import through
from .hmac import hmac

_EARLY_MS = const(2000)  # how long after the CONNACK an early request's answer is waited for
# In history["early"]:
_TURNED_DOWN = const(1)
_SUSPECTED = const(2)  # once; one lost connection proves nothing
_SILENT = const(4)  # no time at all at this broker (mqtt/timesync.py)
_PERHAPS = const(16)  # the last try had one and failed: this one goes without
_MOST_REFUSALS = const(3)  # in a row; then a person must look
_REFUSALS = const(
    (
        "unknown reason",
        "protocol version not taken",
        "client id not taken",
        "bad credentials",
        "bad user name or password",
        "not authorised",
    )
)
_ADVICE = const(
    "is the device disabled in the console? If it was deleted there, erase its credential with "
    "Device.forget(confirm=product id) and reset"
)
# Good for ever: needs no clock, and a reconnect needs no new one (docs/protocol.md, 4).
_NEVER = const(";2147483647")
_ALPHANUMERIC = const(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def login(info, link, keepalive, history, early):
    """Logs in on link with a fresh user name: (client, early).

    early: whether the time may be asked for behind the CONNECT. history: as notes.read() gives it;
    what the broker turns down goes in. client: umqtt.simple's. The early given back: (packet id,
    ticks_ms when the time was asked for, ticks_ms when an answer came), or None where none came.
    NetworkError, ProtocolError; LoginError: the broker's refusal.
    """
    endpoint = info.mqtt
    # A certificate has proved who we are by then: the password is not looked at.
    key = a2b_base64(info.credential if info.mode == "KEY" else "")
    connid = bytes(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5)).decode()
    client = simple.MQTTClient(
        info.client_id,
        endpoint.host,
        endpoint.port,
        *signed(info.client_id, key, connid + _NEVER),
        keepalive,
    )
    past = history["early"]
    # Doubted once in 16 boots, as for PSK.
    asks = early and past < _PERHAPS and (past in (0, _SUSPECTED) or port.random_bytes(1)[0] < 16)
    if asks:
        from ..mqtt.encode import ask_time

        link.tail = ask_time(1, info.owner)
    log.info("connect: CONNECT, clean session, keep-alive %d s" % keepalive)
    answered = None
    try:
        through(simple, link, endpoint, client.connect)
        if asks and link.ready(_EARLY_MS):
            answered = 1, link.asked, port.ticks_ms()
    except simple.MQTTException as error:
        code = error.args[0]
        history["refusals"] += 1
        again = code > 2 and history["refusals"] < _MOST_REFUSALS
        text = "the broker refuses the login: %s (CONNACK %d)" % (
            _REFUSALS[code if 0 < code < 6 else 0],
            code,
        )
        if code > 2 and not again:
            text = "%s, %d times: %s" % (text, history["refusals"], _ADVICE)
        raise LoginError("login.%d" % code, text, again) from None
    except (NetworkError, ProtocolError):
        if link.asked is not None:
            # Perhaps for the early request: the next try, without one, will tell.
            history["early"] = past | _PERHAPS
        else:
            history["early"] = past & ~_PERHAPS
        raise
    now = past & _SILENT
    if past >= _PERHAPS:
        now |= _TURNED_DOWN if past & (_TURNED_DOWN | _SUSPECTED) else _SUSPECTED
    elif not asks:
        now = past
    elif not answered:
        now |= _TURNED_DOWN
    if now != past:
        history["early"] = now
        history["changed"] = True
    history["refusals"] = 0
    return client, answered


def signed(client_id, key, tail):
    """(user name, password) for CONNECT (docs/protocol.md, 4).

    key: the device secret's bytes. tail: "{connid};{expiry}".
    """
    user = "%s;12010126;%s" % (client_id, tail)  # the SDK's app id
    return user, hexlify(hmac(key, user.encode())).decode() + ";hmacsha256"
