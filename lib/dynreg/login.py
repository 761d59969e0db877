"""CONNECT on a link that stands, its answer, and the time asked for behind it."""

from micropython import const
from umqtt import simple

from . import door, log, mqtt, port, signing
from .errors import LoginError, NetworkError, ProtocolError

_EARLY_MS = const(2000)  # how long after the CONNACK an early request's answer is waited for
_PERHAPS = const(2)  # in history["early"]
_MOST_REFUSALS = const(3)  # in a row; then a person must look
_REFUSALS = {
    1: "protocol version not taken",
    2: "client id not taken",
    3: "bad credentials",
    4: "bad user name or password",
    5: "not authorised",
}
_ADVICE = (
    "is the device disabled in the console? If it was deleted there, erase its credential with "
    "Device.forget(confirm=product id) and reset"
)
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def login(info, link, keepalive, history, early):
    """(client, early) as connection.connect() has them."""
    endpoint = info.mqtt
    connid = "".join(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5))
    # A certificate has proved who we are by then: the password is not looked at.
    secret = info.credential if info.mode == "KEY" else ""
    user, password = signing.login(info.client_id, secret, connid)
    client = simple.MQTTClient(
        info.client_id, endpoint.host, endpoint.port, user, password, keepalive
    )
    asks = early and not history["early"]
    if asks:
        link.tail = mqtt.ask_time(1, "%s/%s" % (info.product_id, info.device_name))
    log.info("connect: CONNECT, clean session, keep-alive %d s" % keepalive)
    answered = None
    try:
        door.through(simple, link, endpoint, lambda: _connack(client, history))
        if asks and link.ready(_EARLY_MS):
            answered = 1, link.asked, port.ticks_ms()
    except (NetworkError, ProtocolError):
        if link.asked is not None:
            # Perhaps for the early request: the next try, without one, will tell.
            history["early"] = _PERHAPS
        elif history["early"] == _PERHAPS:
            history["early"] = 0
        raise
    if history["early"] == _PERHAPS or (asks and not answered):
        history["early"] = 1
        history["changed"] = True
    history["refusals"] = 0
    return client, answered


def _connack(client, history):
    try:
        client.connect()
    except simple.MQTTException as error:
        code = error.args[0]
        history["refusals"] += 1
        again = code > 2 and history["refusals"] < _MOST_REFUSALS
        text = "the broker refuses the login: %s (CONNACK %d)" % (
            _REFUSALS.get(code, "unknown reason"),
            code,
        )
        if code > 2 and not again:
            text = "%s, %d times: %s" % (text, history["refusals"], _ADVICE)
        raise LoginError("login.%d" % code, text, again) from None
