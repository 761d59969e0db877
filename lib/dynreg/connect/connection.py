"""Connecting: Wi-Fi, the credential, a verified link, the login; again where that may help."""

from micropython import const

from .. import log, port
from ..errors import DynregError, LoginError

_LATER_MS = const(900000)
_PAUSE_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)


def connect(device, keepalive, attempts):
    """What login() gives, for Device.connect(); None where the session connected itself again."""
    failures = 0
    fresh = device.registered_now
    spread = device.info.spread
    if spread and not device.session:  # a site's boards boot in the same second (docs/herd.md)
        spread = int.from_bytes(port.random_bytes(4), "big") % (spread * 1000 + 1)
        log.info("connect: in %d s" % (spread // 1000))
        port.pause(spread)
    while True:
        try:
            return _connect(device, keepalive)
        except DynregError as error:
            failures += 1
            if not error.retry or failures == attempts:
                raise
            wait = port.step("connect.backoff", "wait_ms", failures, error)
            log.warning("%s [%s]; again in %d s" % (error, error.code, wait // 1000))
            if not fresh and wait >= _LATER_MS and error.code in ("login.4", "login.5"):
                fresh = True  # this is tried once
                if device.register(True):
                    wait = _PAUSE_MS
        port.pause(wait)


def _connect(device, keepalive):
    info, session = device.info, device.session
    if not device.registered:
        _join(info)
    device.register()
    if session:
        session.connect()
        return None
    return login(info, keepalive, device.history, info.early)


def login(info, keepalive, history, early=False):
    """Logs in with a fresh user name: what Session.attach() takes, (link, tls, early).

    early: whether the time is asked for behind the CONNECT, in one flight with it. history: as
    notes.read() gives it; what the broker turns down goes in. Joins Wi-Fi again where it was lost.
    NetworkError, CertificateError, ProtocolError; LoginError: the broker's refusal, over TLS-PSK
    only where a verified certificate with a password is refused as well.
    """
    _join(info)
    log.info("connect: %s" % info.mqtt)
    tls = None
    while True:
        link, tls, turned_down = port.step("connect.tls", "broker", info, history, tls)
        psk = tls == "psk"
        try:
            answered = port.step(
                "connect.login", "login", info, link, keepalive, history, early, psk
            )
            break
        except LoginError as error:
            link.drop()
            if not psk or "+" in info.mqtt.scheme or error.code not in ("login.4", "login.5"):
                raise
            history["refusals"] -= 1  # does not count before the other way is refused too
            log.warning("connect: %s; once more by certificate, with a password" % error)
            port.pause(_PAUSE_MS)
        except BaseException:
            link.drop()
            raise
    history["day"] = history["day"] or 1  # 0: never logged in (register.first_boot.anew())
    if history["psk"] != turned_down:
        history["psk"] = turned_down
        history["changed"] = True
    log.info("connect: CONNACK 0, %s" % tls)
    return link, tls, answered


def _join(info):
    wifi = info.wifi
    if wifi:
        port.step("connect.wifi", "join", wifi["ssid"], wifi.get("password"))
