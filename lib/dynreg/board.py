"""Differences between platforms that a step needs once: the chip, its flash, radio and libraries.

Loaded for that step and dropped again; what is always needed stands in port.py.
"""

import gc
import os
import sys

from . import port

try:
    import tls

    _BY_KEYWORD = False
except ImportError:  # MicroPython 1.22: SSLContext is in ssl, and its first argument a file name
    import ssl as tls

    _BY_KEYWORD = True


def unique_id():
    """The chip's id, bytes: on an ESP32 the 6 bytes of its MAC. Empty where there is none."""
    try:
        import machine

        return bytes(machine.unique_id())
    except (ImportError, AttributeError):
        return b""


def sync():
    """Asks the system to write the flash out, where that can be asked."""
    if hasattr(os, "sync"):
        os.sync()


def nvs(namespace):
    """An ESP32's NVS namespace, None on ports without NVS; OSError where it does not open."""
    try:
        from esp32 import NVS
    except ImportError:
        return None
    return NVS(namespace)


def network_module():
    """The module with WLAN, None on platforms without Wi-Fi of their own."""
    try:
        import network

        return network
    except ImportError:
        return None


def firmware():
    """Interpreter, release and machine, as text."""
    release = ".".join(str(part) for part in sys.implementation.version[:3])
    return "%s %s on %s" % (sys.implementation.name, release, sys.platform)


def free_memory():
    """Bytes of heap that can be had after a collection; 0 where that is not told."""
    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else 0


def requests_module():
    """The urequests library itself, never its `urequests` alias, whose globals are not its own."""
    if port.MICROPYTHON:
        try:
            import requests

            return requests
        except ImportError:
            pass
    import urequests

    return urequests


def no_delay(raw):
    """Nagle off, where the port can: a flight must not wait for the last one's ACK."""
    try:
        raw.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY; unix ports lack the names
    except (OSError, AttributeError, TypeError):
        pass


def tls_context(certificates):
    """A client context that trusts these DER certificates, takes no other, checks the name."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore
    for der in certificates:
        # One at a time: several in one call are read as one by some builds.
        if _BY_KEYWORD:
            context.load_verify_locations(cadata=der)
        else:
            context.load_verify_locations(der)
    return context


def psk_context(identity, key):
    """A client context for TLS-PSK (both bytes), or None where the runtime has none."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    try:
        context.psk_identity = identity  # pyright: ignore
        context.psk_key = key  # pyright: ignore
    except AttributeError:
        return None
    return context


def is_certificate_fault(error):
    """Whether a failed handshake failed on the certificate, not on the line."""
    # -0x2700 X509_CERT_VERIFY_FAILED, -0x7680 CA_CHAIN_REQUIRED, -0x7A00 BAD_CERTIFICATE
    return isinstance(error, ValueError) or error.args[:1] in ((-9984,), (-30336,), (-31232,))
