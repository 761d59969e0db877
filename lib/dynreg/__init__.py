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

__version__ = "0.1.0"
