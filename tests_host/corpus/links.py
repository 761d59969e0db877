"""A Link to a Peer."""

import fakes
from dynreg.connect import tls
from dynreg.device import Endpoint

ENDPOINT = Endpoint("mqtt", "host", 1883)


def opened(*answers, ms=5000, limit=0, **peer):
    """(its link, the peer)."""
    other = fakes.Peer(*answers, **peer)
    fakes.network(fakes.Clock(), other)
    return tls.connect("host", 1883, None, ms, limit), other
