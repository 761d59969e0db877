"""What stands in for the world around dynreg, the same on CPython and on MicroPython.

One name for what lies in modules of its own: standins.py (replace() and what a test looks at),
fake_clock.py, fake_network.py (Peer, network()) and fake_flash.py (Flash, nvs()); here, what a
good device_info.json holds.
"""

import json

import canaries
from fake_clock import NOW, Clock, Live, ntp  # noqa: F401
from fake_flash import Flash, Nvs, nvs  # noqa: F401
from fake_network import END, Peer, network  # noqa: F401
from standins import (  # noqa: F401
    MICROPYTHON,
    ROOT,
    Lacking,
    Namespace,
    at_end,
    exists,
    files,
    folder,
    fresh,
    log_lines,
    module,
    need_tls,
    raises,
    random,
    read,
    replace,
    restore,
    servers,
    unload,
    vectors,
    write,
)

PRODUCT, NAME = "ABCDEFGHIJ", "dev-01"


def values(**changes):
    """What a good device_info.json holds, with the canaries as secrets; None takes a key out."""
    good = {
        "auth_mode": "KEY",
        "productId": PRODUCT,
        "productSecret": canaries.PRODUCT_SECRET,
        "deviceName": NAME,
        "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
        "region": "china",
        "wifi": {"ssid": "bench", "password": canaries.WIFI_PASSWORD},
        "early": False,
    }
    good.update(changes)
    return {key: good[key] for key in good if good[key] is not None}


def device_info(**changes):
    """The path of a device_info.json with values(**changes), in a folder of its own."""
    return write(folder() + "/device_info.json", json.dumps(values(**changes)))
