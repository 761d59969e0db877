"""ssl, for an interpreter that has frozen requests but not this, as Debian's. Device side."""

from tls import *  # noqa: F403
from tls import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext


def wrap_socket(sock, server_hostname=None):
    """As MicroPython's: what proves who is there is left out unless one asks for it."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.verify_mode = CERT_NONE
    return context.wrap_socket(sock, server_hostname=server_hostname)
