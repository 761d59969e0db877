"""Where a hub's services are, as a device, a browser and a command call them."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
ANY = ("0.0.0.0", "::")  # every address of this machine
_REACHED_AT = {
    "127.0.0.1": ("127.0.0.1", "localhost"),
    "localhost": ("127.0.0.1", "localhost"),
    "0.0.0.0": ("127.0.0.1", "localhost"),
    "::": ("::1", "::1"),
}


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

    def gateway(self, scheme: str) -> str:
        """Of "http" or "https", without a port where that is the scheme's own."""
        # The vendor's C SDK reads no port in a URL.
        port = {"http": ":80", "https": ":443"}[scheme]
        return (self.https if scheme == "https" else self.http).removesuffix(port)


def urls(host: str, control_host: str, ports: Mapping[str, int], token: str | None) -> Urls:
    """All of them; `host` and `control_host` as the hub was told to listen on."""
    address, name = reached_at(host)
    hosts = {"http": address, "https": name, "mqtt": address, "mqtts": name}
    at = reached_at(control_host)[0] if control_host in ANY else control_host
    control = f"http://{host_port(at, ports['control'])}"
    return Urls(
        **{key: f"{key}://{host_port(hosts[key], ports[key])}" for key in hosts},
        control=control,
        workbench=f"{control}/?token={token}" if token else f"{control}/",
        ntp=(address, ports["ntp"]),
        dns=(address, ports["dns"]),
    )


def is_loopback(address: str) -> bool:
    """Whether an IP address can be reached from this machine alone."""
    return ipaddress.ip_address(address).is_loopback


def reached_at(host: str) -> tuple[str, str]:
    """(address, name) at which a client on this machine reaches the host."""
    return _REACHED_AT.get(host, (host, host))


def host_port(host: str, port: int) -> str:
    """As a URL has it: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
