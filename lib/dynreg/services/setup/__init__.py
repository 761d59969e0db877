"""Wi-Fi given by a person: an access point with a page, where a network is chosen (docs/setup.md).

from dynreg.services import setup

setup.wifi()  # before Device(); returns at once where device_info.json has a Wi-Fi
"""

from ... import port


def wifi(path="/device_info.json", idle=None):
    """True where device_info.json has a Wi-Fi, or a person has given one, which is joined then.

    False: nobody has within the time, or this platform has no Wi-Fi. idle: as Device() has it.
    ConfigError: a mistake in the file; StorageError: the flash does not take it; NetworkError:
    the access point does not start.
    """
    if idle:
        port.idle = idle
    return port.step("services.setup.start", "run", path)


def access_point(path="/device_info.json"):
    """(name, password) of the access point, as the board's label has them. ConfigError."""
    settings = port.step("services.setup.settings", "load", path)
    return settings["name"], settings["password"]
