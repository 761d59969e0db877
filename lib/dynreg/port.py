"""Every difference between platforms, ports and releases; no other room asks where it runs."""

import gc
import os
import sys
import time

try:
    import tls

    _BY_KEYWORD = False
except ImportError:  # MicroPython 1.22: SSLContext is in ssl, and its first argument a file name
    import ssl as tls

    _BY_KEYWORD = True

MICROPYTHON = sys.implementation.name == "micropython"

# Seconds from 1970 to the platform's own epoch: esp32 and stm32 count from 2000.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0

if MICROPYTHON:
    from time import sleep_ms, ticks_add, ticks_diff, ticks_ms  # pyright: ignore
else:

    def ticks_ms():
        return time.monotonic_ns() // 1000000  # pyright: ignore

    def ticks_add(ticks, delta):
        return ticks + delta

    def ticks_diff(end, start):
        return end - start

    def sleep_ms(ms):
        time.sleep(ms / 1000)


_SLICE_MS = 500


def idle():
    """Called twice a second while dynreg waits; Device(idle=…) puts the program's own here."""


def pause(ms):
    """Sleeps, with idle() called in between: a watchdog must not starve on a back-off."""
    while ms > 0:
        idle()
        sleep_ms(min(ms, _SLICE_MS))
        ms -= _SLICE_MS


def wait(poll, ms):
    """Whether poll (of select) reports something within ms milliseconds; idle() meanwhile."""
    while True:
        if poll.poll(max(0, min(ms, _SLICE_MS))):
            return True
        ms -= _SLICE_MS
        if ms <= 0:
            return False
        idle()


def random_bytes(count):
    """count bytes from the hardware's or the system's own source."""
    return os.urandom(count)


def unique_id():
    """The chip's id, bytes: on an ESP32 the 6 bytes of its MAC. Empty where there is none."""
    try:
        import machine

        return bytes(machine.unique_id())
    except (ImportError, AttributeError):
        return b""


def unix_ms():
    """The real-time clock as Unix milliseconds, whatever the platform's epoch; set or not."""
    return (time.time_ns() // 1000000) + EPOCH * 1000


def set_rtc(unix):
    """Sets the real-time clock to Unix milliseconds. False where there is none to set."""
    try:
        from machine import RTC
    except ImportError:
        return False
    seconds, ms = divmod(unix, 1000)
    year, month, day, hour, minute, second, weekday = time.gmtime(seconds - EPOCH)[:7]
    RTC().datetime((year, month, day, weekday, hour, minute, second, ms * 1000))
    return True


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
    if MICROPYTHON:
        try:
            import requests

            return requests
        except ImportError:
            pass
    import urequests

    return urequests


def forget(*names):
    """Drops dynreg's rooms that later steps do not need, so that their memory is free for TLS."""
    for name in names:
        package, _, room = ("dynreg." + name).rpartition(".")
        sys.modules.pop("dynreg." + name, None)
        if package in sys.modules and hasattr(sys.modules[package], room):
            delattr(sys.modules[package], room)
    gc.collect()


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
