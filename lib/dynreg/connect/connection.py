"""Connecting: Wi-Fi, the credential, a verified link, the login; again where that may help."""

from .. import log, port
from ..errors import DynregError


def connect(device, keepalive, attempts):
    """What login() gives, for Device.connect(); None where the session connected itself again."""
    failures = 0
    while True:
        try:
            return _connect(device, keepalive)
        except DynregError as error:
            failures += 1
            if not error.retry or failures == attempts:
                raise
            wait = port.step("connect.backoff", "wait_ms", failures)
            log.warning("%s [%s]; again in %d s" % (error, error.code, wait // 1000))
        port.pause(wait)


def _connect(device, keepalive):
    info, session = device.info, device.session
    if not device.registered:
        _join(info, device.history)
    device.register()
    if session:
        session.connect()
        return None
    return login(info, keepalive, device.history, info.early)


def login(info, keepalive, history, early=False):
    """Logs in with a fresh user name: what Session.attach() takes, (client, link, tls, early).

    early: whether the time is asked for behind the CONNECT, in one flight with it. history: as
    notes.read() gives it; what the broker turns down goes in. Joins Wi-Fi again where that was
    lost. NetworkError, CertificateError, ProtocolError; LoginError: the broker's refusal.
    """
    _join(info, history)
    log.info("connect: %s" % info.mqtt)
    link, tls, turned_down = port.step("connect.tls", "broker", info, history)
    try:
        client, answered = port.step(
            "connect.login", "login", info, link, keepalive, history, early
        )
    except BaseException:
        link.drop()
        raise
    if history["psk"] != turned_down:
        history["psk"] = turned_down
        history["changed"] = True
    log.info("connect: CONNACK 0, %s" % tls)
    return client, link, tls, answered


def _join(info, history):
    """Wi-Fi, where device_info.json has one: 15 s, and twice as long after each failure, to 60."""
    wifi = info.wifi
    if wifi:
        ms = history.get("wifi", 15000)
        history["wifi"] = min(2 * ms, 60000)
        port.step("connect.wifi", "join", wifi["ssid"], wifi.get("password"), ms)
        history["wifi"] = 15000
