"""The socket adapter: how urequests and umqtt.simple reach the network, both alike.

Both use the global `socket` of their own module. For the length of a call the adapter takes its
place, so that the socket which they get is a link that is connected already: verified, with a
deadline that holds. A library that never asked the adapter, or wants another host or a second
connection (a redirect), gets nothing (fail closed).
"""

from ..errors import NetworkError, ProtocolError


class SocketAdapter:
    """A module `socket` with one socket in it, link (link.Link) to endpoint, to be had once."""

    SOCK_STREAM = 1
    AF_INET = 2

    def __init__(self, link, endpoint):
        self.link = link
        self.address = endpoint.host, endpoint.port

    def getaddrinfo(self, *where):
        if where[:2] != self.address:
            raise ProtocolError(
                "protocol.redirect", "%s sends us to another host" % self.address[0]
            )
        return [(self.AF_INET, self.SOCK_STREAM, 0, "", self.address)]

    def socket(self, *hints):
        link, self.link = self.link, None
        if not link:
            raise ProtocolError("protocol.redirect", "%s sends us elsewhere" % self.address[0])
        return link


def through(module, link, endpoint, function):
    """function()'s result, with module (a library) led to link, and nowhere else, meanwhile.

    A DynregError comes out as it is; ProtocolError for whatever else the library makes of the
    answer, and where it got one without the adapter. NetworkError for its OSError.
    """
    name = "socket" if hasattr(module, "socket") else "usocket"
    if not hasattr(module, name):
        raise ProtocolError(
            "protocol.library", "%s cannot be led through TLS here" % module.__name__, False
        )
    real = getattr(module, name)
    adapter = SocketAdapter(link, endpoint)
    setattr(module, name, adapter)
    try:
        result = function()
    except OSError as error:
        raise NetworkError("network.closed", "%s: %r" % (endpoint.host, error)) from None
    except (  # on an answer that one release or another does not like
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
        NotImplementedError,
        ImportError,
    ) as error:
        if link.broken or link.wire.ended:  # what it did not like is that there is no more
            raise NetworkError(
                "network.closed", "%s: the answer stops in the middle" % endpoint.host
            ) from None
        raise ProtocolError(
            "protocol.reply",
            "%s answers what %s cannot read: %r: is it the right port, for that scheme?"
            % (endpoint, module.__name__, error),
        ) from None
    finally:
        setattr(module, name, real)
    if adapter.link:
        raise ProtocolError("protocol.library", "%s went round TLS" % module.__name__, False)
    return result
