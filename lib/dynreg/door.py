"""The one door to the network, for urequests and umqtt.simple alike.

Both libraries reach the network through their module's global `socket`. For the length of a
call a door stands there in its place, so that the socket which they get is a link that stands
already: verified, with a deadline that holds. A library that never came to the door, or wants
another host or a second connection (a redirect), gets nothing (fail closed).
"""

from .errors import NetworkError, ProtocolError

# What urequests and umqtt.simple raise, in one release or another, on an answer they do not like.
_LIBRARY_FAULTS = (
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    ImportError,
)


class Door:
    """One link (link.Link) to host and port, to be taken once; link is None from then on."""

    SOCK_STREAM = 1
    AF_INET = 2

    def __init__(self, link, endpoint):
        self.link = link
        self._address = endpoint.host, endpoint.port

    def getaddrinfo(self, *where):
        if where[:2] != self._address:
            raise ProtocolError(
                "protocol.redirect", "%s sends us to another host" % self._address[0]
            )
        return [(self.AF_INET, self.SOCK_STREAM, 0, "", self._address)]

    def socket(self, *hints):
        link, self.link = self.link, None
        if not link:
            raise ProtocolError("protocol.redirect", "%s sends us elsewhere" % self._address[0])
        return link


def through(library, link, endpoint, call):
    """call()'s result, with library (a module) led to link, and nowhere else, meanwhile.

    A DynregError comes out as it is; ProtocolError for whatever else the library makes of the
    answer, and where it got one without coming to the door. NetworkError for its OSError.
    """
    name = "socket" if hasattr(library, "socket") else "usocket"
    if not hasattr(library, name):
        raise ProtocolError(
            "protocol.library", "%s cannot be led through TLS here" % library.__name__
        )
    real = getattr(library, name)
    door = Door(link, endpoint)
    setattr(library, name, door)
    try:
        result = call()
    except OSError as error:
        raise NetworkError("network.closed", "%s: %r" % (endpoint.host, error)) from None
    except _LIBRARY_FAULTS as error:
        raise ProtocolError(
            "protocol.reply",
            "%s answers what %s cannot read: %r" % (endpoint.host, library.__name__, error),
            link.broken,
        ) from None
    finally:
        setattr(library, name, real)
    if door.link:
        raise ProtocolError("protocol.library", "%s went round TLS" % library.__name__)
    return result
