from collections.abc import Callable

def wifi(path: str = "/device_info.json", idle: Callable[[], object] | None = None) -> bool:
    """True where device_info.json has a Wi-Fi, or a person has given one, which is joined then.

    False: nobody has within the time, or this platform has no Wi-Fi. idle: as Device() has it.
    ConfigError: a mistake in the file; StorageError: the flash does not take it; NetworkError:
    the access point does not start.
    """

def access_point(path: str = "/device_info.json") -> tuple[str, str]:
    """(name, password) of the access point, as the board's label has them. ConfigError."""
