"""The batch's device_info.json: read, checked by the very code that will read it on a board."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import sources
from .errors import BoardError

# What a board has of its own in that file, and the product secret, which it may have burnt.
OWN = ("key_deviceinfo", "cert_deviceinfo", "productSecret")


@dataclass(frozen=True, repr=False)
class Batch:
    """device_info.json of a batch; its values hold secrets, so it has no repr."""

    path: Path
    values: dict[str, Any]
    info: Any  # dynreg.device.DeviceInfo: endpoints, region, checked

    @property
    def template(self) -> tuple[str, dict[str, Any]]:
        """The text with "@key@" for each key of OWN, and those keys' values."""
        own = {key: self.values[key] for key in OWN if key in self.values}
        shown = self.values | {key: f"@{key}@" for key in own}
        return written(shown), own

    def name_of(self, mac: str) -> str:
        """The device name of the board with this MAC."""
        return self.values["deviceName"].replace("{mac}", mac.replace(":", ""))

    def access_point(self, device: str, mac: str) -> tuple[str, str]:
        """Name and password of services/setup's on the board of this name and MAC. BoardError."""
        own = self.values.get("setup")
        if not isinstance(own, dict):
            raise BoardError(
                "config", f"{self.path}: has no setup: 'dynreg init --setup' makes one"
            )
        settings = sources.library("services.setup.settings")
        number = bytes.fromhex(mac.replace(":", ""))
        password = own.get("password") or settings.derived(own["key"], number)
        return own.get("name") or device[:32], password

    @property
    def authorities(self) -> list[str]:
        """Paths on the board of the CA files that it names."""
        ends = (self.info.gateway, self.info.mqtt)
        return sorted({end.ca for end in ends if end.ca})


def written(values: dict[str, Any]) -> str:
    """device_info.json with these values: what people wrote stays readable."""
    text = json.dumps(values, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, which no file takes but as an escape
        return json.dumps(values, indent=2)
    return text


def read(path: Path) -> Batch:
    """BoardError "config" with the sentence that the board itself would say."""
    if not path.is_file():
        raise BoardError("config", f"{path}: no such file: make one with 'dynreg init'")
    device, device_file = sources.library("device"), sources.library("storage.device_file")
    credentials = sources.library("storage.credentials")
    config_error = sources.library("errors").ConfigError
    sources.library("port").unique_id = lambda: bytes(6)  # {mac} is filled in on the board
    try:
        info = device.DeviceInfo(str(path))
        values = device_file.read(str(path))
        credentials.need_product_secret(info)
        if "setup" in values:
            sources.library("services.setup.settings").load(str(path))
    except config_error as error:
        raise BoardError("config", str(error)) from None
    return Batch(path, values, info)


def placeholder(value: object) -> bool:
    """Whether a value of device_info.json is still to be filled in: missing, or YOUR_…."""
    return not isinstance(value, str) or not value or value.startswith("YOUR_")
