"""How a board stands: for a person, for a program, and as the line that a bench waits for."""

import gc
import sys

import ujson as json
from ubinascii import hexlify

from . import port
from .storage import credentials


def state(device):
    """A dict: device, product, mode, mac, fingerprint (None before registration), registered,
    registered_at (Unix seconds, 0 unknown), copy_1 and copy_2 ((place, state)), tls (None while
    not connected), unix_ms, clock_set, clock_uncertainty_ms (how far off it was at most when the
    cloud's time set it; None before), firmware, free_memory (bytes).
    """
    info, session = device.info, device.session
    release = ".".join(str(part) for part in sys.implementation.version[:3])
    gc.collect()
    return {
        "device": info.device_name,
        "product": info.product_id,
        "mode": info.mode,
        "mac": _mac(),
        "fingerprint": _fingerprint(device),
        "registered": device.registered,
        "registered_at": info.registered_at,
        "copy_1": (info.path, credentials.in_file(info)[0]),
        "copy_2": (credentials.place(info.path), credentials.in_record(info)[0]),
        "tls": session.tls if session and session.connected else None,
        "unix_ms": port.unix_ms(),
        "clock_set": bool(port.unix_time()),
        "clock_uncertainty_ms": session.within if session else None,
        "firmware": "%s %s on %s" % (sys.implementation.name, release, sys.platform),
        "free_memory": gc.mem_free() if hasattr(gc, "mem_free") else 0,
    }


def text(device):
    """state() as lines of a name and a value."""
    now = state(device)
    when = "no"
    if now["registered"]:
        when = "at a time unknown"
        if now["registered_at"]:
            when = port.utc(now["registered_at"] * 1000)
    lines = [
        ("device", "%s of product %s" % (now["device"], now["product"])),
        ("credential", "%s, fingerprint %s" % (now["mode"], now["fingerprint"])),
        ("copy 1", "%s: %s" % now["copy_1"]),
        ("copy 2", "%s: %s" % now["copy_2"]),
        ("registered", when),
        ("connection", now["tls"] or "none"),
        ("clock", port.utc(now["unix_ms"]) + ("" if now["clock_set"] else " (not set)")),
        ("firmware", now["firmware"]),
        ("free memory", "%d bytes" % now["free_memory"]),
    ]
    return "\n".join("%-12s %s" % line for line in lines)


def report(device, error):
    """Device.report()'s line."""
    session = device.session
    return "dynreg: " + json.dumps(
        {
            "mac": _mac(),
            "device": device.info.client_id,
            "fingerprint": _fingerprint(device),
            "registered": device.registered_now,
            "stored": device.registered,
            "connected": bool(session and session.connected),
            "clock_set": device.clock_set,
            "unix_ms": port.unix_ms(),
            "tls": session.tls if session else None,
            "error": error.code if error else None,
        }
    )


def _mac():
    return hexlify(port.unique_id()).decode() or None


def _fingerprint(device):
    return credentials.fingerprint(device.info.credential) if device.registered else None
