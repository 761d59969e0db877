from .device import Device as Device
from .errors import CertificateError as CertificateError
from .errors import ConfigError as ConfigError
from .errors import DynregError as DynregError
from .errors import LoginError as LoginError
from .errors import NetworkError as NetworkError
from .errors import ProtocolError as ProtocolError
from .errors import RegistrationError as RegistrationError
from .errors import StorageError as StorageError
from .port import unix_time as unix_time

__version__: str
