"""Where a hub's services are, as a device, a browser and a command call them."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

ANY = "0.0.0.0"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a hub's services are; of those over UDP host and port.

    `control` is the base of the HTTP interface, `workbench` the page's URL with its token.
    """

    http: str
    https: str
    mqtt: str
    mqtts: str
    control: str
    workbench: str
    ntp: tuple[str, int]
    dns: tuple[str, int]


def urls(host: str, control_host: str, ports: Mapping[str, int], token: str | None) -> Urls:
    """All of them; `host` and `control_host` as the hub was told to listen on."""
    local = host in (LOOPBACK, "localhost", ANY)
    address, name = (LOOPBACK, "localhost") if local else (host, host)
    hosts = {"http": address, "https": name, "mqtt": address, "mqtts": name}
    control = f"http://{LOOPBACK if control_host == ANY else control_host}:{ports['control']}"
    return Urls(
        **{key: f"{key}://{hosts[key]}:{ports[key]}" for key in hosts},
        control=control,
        workbench=f"{control}/?token={token}" if token else f"{control}/",
        ntp=(address, ports["ntp"]),
        dns=(address, ports["dns"]),
    )


def is_loopback(address: str) -> bool:
    """Whether an IP address can be reached from this machine alone."""
    return ipaddress.ip_address(address).is_loopback
