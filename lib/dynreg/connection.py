"""The way to the broker: TLS with the device's own key or a verified certificate, then CONNECT.

Loaded for each connect and dropped again: a session keeps only what it yields.
"""

from binascii import a2b_base64

from micropython import const
from umqtt import simple

from . import log, mqtt, port, signing
from .errors import CertificateError, DynregError, LoginError, NetworkError, ProtocolError
from .tls import Door

ANSWER_MS = 10000  # for connect, handshake and CONNACK together
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


def connect(info, keepalive, history, early=False):
    """Logs in with a fresh user name: (client, link, tls, early).

    client: umqtt.simple's. tls: "psk", "verified-ca" or "plain". early: (packet id, ticks_ms when
    the time was asked for, ticks_ms when an answer came), where the time was asked for behind the
    CONNECT, else None. history: as notes.read() gives it; what the broker turns down goes in.
    NetworkError, CertificateError, ProtocolError; LoginError: the broker's refusal.
    """
    endpoint = info.mqtt
    log.info("connect: %s" % endpoint)
    if not endpoint.secure:
        log.warning("connect: the connection is not encrypted, as device_info.json asks")
        return _login(info, keepalive, history, early, "plain", None)
    only = endpoint.scheme == "mqtts+psk"
    context = None
    # A broker that has turned PSK down is asked again once in 16 times.
    if info.mode == "KEY" and (only or not history["psk"] or port.random_bytes(1)[0] < 16):
        context = port.psk_context(info.client_id.encode(), a2b_base64(info.credential))
    if context:
        try:
            opened = _login(info, keepalive, history, early, "psk", lambda: context)
            _note(history, "psk", 0)
            return opened
        except _TurnedDown as error:
            log.warning("connect: %s" % error)
    if only:
        raise CertificateError(
            "certificate.psk", "%s: no TLS with this device's own key" % endpoint
        )
    from . import trust

    roots = trust.Trust(endpoint.ca, trust.MQTT)
    pair = info.credential if info.mode == "CERT" else None

    def verified():
        return _login(info, keepalive, history, early, "verified-ca", lambda: roots.context(pair))

    opened = trust.judged(info, history["day"], verified)
    if context:
        _note(history, "psk", 1)
    return opened


class _TurnedDown(Exception):
    """No TLS with the device's own key; the verified certificate is next."""


def _login(info, keepalive, history, early, tls, context):
    endpoint = info.mqtt
    connid = "".join(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5))
    # A certificate has proved who we are by then: the password is not looked at.
    secret = info.credential if info.mode == "KEY" else ""
    user, password = signing.login(info.client_id, secret, connid)
    client = simple.MQTTClient(
        info.client_id, endpoint.host, endpoint.port, user, password, keepalive
    )
    tail = b""
    if early and not history["early"]:
        tail = mqtt.ask_time(1, "%s/%s" % (info.product_id, info.device_name))
    door = Door(endpoint.host, endpoint.port, context, ANSWER_MS, 0, tail)
    log.info("connect: CONNECT, clean session, keep-alive %d s" % keepalive)
    answered = None
    try:
        door.through(simple, lambda: _connack(client, history))
        link = door.link
        if tail and link.ready(_EARLY_MS):
            answered = 1, link.asked, port.ticks_ms()
    except BaseException as error:
        door.close()
        if tls == "psk" and door.link and not door.link.stream and _handshake_failed(error):
            raise _TurnedDown(str(error)) from None
        if isinstance(error, (NetworkError, ProtocolError)):
            if tail and door.link and door.link.asked:
                # Perhaps for the early request: the next try, without one, will tell.
                history["early"] = _PERHAPS
            elif history["early"] == _PERHAPS:
                history["early"] = 0
        raise
    if history["early"] == _PERHAPS or (tail and not answered):
        _note(history, "early", 1)
    history["refusals"] = 0
    log.info("connect: CONNACK 0, %s" % tls)
    return client, link, tls, answered


def _handshake_failed(error):
    return isinstance(error, DynregError) and error.code not in (
        "network.connect",
        "network.timeout",
    )


def _note(history, what, value):
    if history[what] != value:
        history[what] = value
        history["changed"] = True


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
