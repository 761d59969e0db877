"""How a hub is to run: every option of Hub and of the command line, checked at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import rules
from .addresses import LOOPBACK
from .choices import KEY_KINDS, REGISTER_LIMIT
from .faults import parse
from .limits import Limits
from .rules import HubError
from .tls import certificates
from .tls.own_ca import load_own_ca

PORTS = ("http", "https", "mqtt", "mqtts", "ntp", "dns", "control")


@dataclass(frozen=True, slots=True)
class Settings(Limits):
    """How a hub is to run, with its limits; secrets in their documented form.

    `data` is the directory of hub.db and the CAs (None: a private temporary one, removed at the
    end). Without `product_id` the directory's last product is taken, or one is made at random.

    `auth_mode` is "key" or "cert" (None: as the product was, a new one "key", and "cert" with an
    own CA); `own_ca` is the file or the PEM bytes of the CA that issues the product's device
    certificates, else the hub issues them, with keys of the kind `device_key`, "rsa" (2048 bits)
    or "ec" (P-256). `cert_key` is the same for the hub's own servers. `psk` false takes TLS-PSK
    away, like a cloud that no longer offers it.

    `faults` are switched on at the start, each NAME[@SERVICE][:ARG][*TIMES] (faults/).

    `control_host` is where the HTTP interface listens; other than on loopback it wants a token.

    `names` are more host names and addresses for the servers' certificate, beside `host`'s own;
    the name server knows them too. `*.` before a name stands for those below it.

    `nodelay` sets TCP_NODELAY on every connection; without it Nagle's algorithm is as the system
    has it.

    With `port_base` P the ports are P to P+6 in the order of PORTS; 0 means free ones.
    """

    data: str | Path | None = None
    product_id: str | None = None
    product_secret: str | None = None
    register_type: int = 2
    register_limit: int = REGISTER_LIMIT
    auth_mode: str | None = None
    own_ca: str | Path | bytes | None = None
    device_key: str = "rsa"
    host: str = "127.0.0.1"
    port_base: int = 0
    control_host: str = LOOPBACK
    devices: Sequence[str] = ()
    cert_key: str = "rsa"
    psk: bool = True
    nodelay: bool = False
    faults: Sequence[str] = ()
    names: Sequence[str] = ()
    own_ca_pem: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Raise HubError when a value cannot be; read the own CA into `own_ca_pem`."""
        if self.product_id is not None and not rules.is_product_id(self.product_id):
            raise HubError("the product id must be 1 to 32 letters and digits")
        if self.product_secret is not None:
            rules.check_product_secret(self.product_secret)
        for name in self.devices:
            check_device_name(name)
        for name in self.names:
            if not certificates.is_identity(name):
                raise HubError(f"{name!r} is no host name or address for a certificate")
        for spec in self.faults:
            parse(spec)
        last = 65535 - len(PORTS) + 1
        if self.port_base != 0 and not 0 < self.port_base <= last:
            raise HubError(f"the port base must be 0 or 1 to {last}")
        if self.auth_mode not in (None, *rules.AUTH_MODES):
            raise HubError("the auth mode must be key or cert")
        if self.cert_key not in KEY_KINDS or self.device_key not in KEY_KINDS:
            raise HubError("the kind of a certificate's key must be rsa or ec")
        if not self.host:
            raise HubError("the host to listen on is empty")
        if self.login_ms < 0 or self.reply_ms < 0:
            raise HubError("a delay must be 0 or more milliseconds")
        if self.own_ca is not None:
            if self.auth_mode == rules.KEY:
                raise HubError("an own CA is for products in auth mode cert, not key")
            object.__setattr__(self, "own_ca_pem", load_own_ca(self.own_ca))


def check_device_name(name: str) -> None:
    """Raise HubError unless `name` may be a device name."""
    if not rules.is_device_name(name):
        raise HubError(
            f"the device name {name!r} is not 1 to 48 of letters, digits, colon, underscore "
            "and hyphen"
        )
