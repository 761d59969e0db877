"""Whether an access point is due, with no more in memory than that takes."""

from ... import log, port
from ...errors import DynregError


def run(path):
    """setup.wifi()."""
    settings = port.step("services.setup.settings", "load", path)
    wifi, after = settings["wifi"], settings["after"]
    if wifi and not after:
        return True
    try:
        import network  # noqa: F401
    except ImportError:
        return False
    end = port.ticks_add(port.ticks_ms(), after * 1000)
    while wifi:
        try:
            return port.step("connect.wifi", "join", wifi["ssid"], wifi.get("password"))
        except DynregError as error:
            log.warning("setup: %s" % error)
        if port.ticks_diff(end, port.ticks_ms()) <= 0:
            break
        port.pause(1000)
    if settings["key"]:  # all boards of the batch have it: it has done its work here
        own = {"password": settings["password"], "key": ""}
        port.step("services.setup.keep", "keep", path, "setup", own)
    return port.step("services.setup.portal", "run", path, settings)
