"""The way to the broker: a link by which each has proved who he is, then the login.

Each of the two has a room of its own, loaded for it and dropped before the next.
"""

from . import log, port


def connect(info, keepalive, history, early=False):
    """Logs in with a fresh user name: (client, link, tls, early).

    client: umqtt.simple's. tls: "psk", "verified-ca" or "plain". early: (packet id, ticks_ms when
    the time was asked for, ticks_ms when an answer came), where the time was asked for behind the
    CONNECT, else None. history: as notes.read() gives it; what the broker turns down goes in.
    NetworkError, CertificateError, ProtocolError; LoginError: the broker's refusal.
    """
    log.info("connect: %s" % info.mqtt)
    from . import handshake

    link, tls, turned_down = handshake.broker(info, history)
    del handshake
    port.forget("handshake", "tls", "trust", "board", "clock")
    try:
        from . import login

        client, answered = login.login(info, link, keepalive, history, early)
    except BaseException:
        link.drop()
        raise
    finally:
        login = None
        port.forget("login", "door", "signing")
    if history["psk"] != turned_down:
        history["psk"] = turned_down
        history["changed"] = True
    log.info("connect: CONNACK 0, %s" % tls)
    return client, link, tls, answered
