"""The way to the cloud, link by link, with the trust that dynreg has. Device side."""

import socket


def wifi(ssid, password, ms):
    """None once joined, else why not."""
    from dynreg.connect.wifi import join
    from dynreg.errors import DynregError

    try:
        join(ssid, password, ms)
    except DynregError as error:
        return str(error)


def dns(host, port):
    try:
        socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except OSError as error:
        return repr(error)


def tcp(host, port, seconds):
    try:
        connect(host, port, seconds).close()
    except OSError as error:
        return repr(error)


def tls(host, port, seconds, ca, builtin):
    """ca: path of a CA file or None; builtin: names in dynreg.roots."""
    import gc

    from dynreg.connect.trust import context
    from dynreg.errors import DynregError

    gc.collect()
    raw = None
    try:
        client = context(ca, builtin)
        raw = connect(host, port, seconds)
        client.wrap_socket(raw, server_hostname=host).close()
    except (OSError, ValueError, DynregError) as error:
        return repr(error)
    finally:
        if raw:
            raw.close()


def connect(host, port, seconds):
    raw = socket.socket()
    try:
        raw.settimeout(seconds)
        raw.connect(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1])
    except OSError:
        raw.close()
        raise
    return raw


def ntp():
    """None when a time server answers, else why not."""
    try:
        import ntptime

        ntptime.time()
    except (ImportError, OSError, ValueError, IndexError) as error:
        return repr(error)


def joined():
    """Whether the board is in its Wi-Fi, or does not use it."""
    from network import STA_IF, WLAN

    wlan = WLAN(STA_IF)
    return wlan.isconnected() or not wlan.active()
