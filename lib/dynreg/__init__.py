"""dynreg: a board registers itself with Tencent Cloud IoT Hub, logs in, sets its clock.

from dynreg import Device

session = Device().connect()
"""

from .device import Device  # noqa: F401
from .errors import (  # noqa: F401
    CertificateError,
    ConfigError,
    DynregError,
    LoginError,
    NetworkError,
    ProtocolError,
    RegistrationError,
    StorageError,
)
from .port import unix_time  # noqa: F401

__version__ = "0.2.0"
