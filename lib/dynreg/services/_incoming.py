"""A file that comes over a verified link, piece by piece as a program asks for them."""

from micropython import const

from .. import port

_LINK_MS = const(30000)
_STALL_MS = const(10000)
_CHUNK = const(512)


class Incoming:
    """job's file from offset on; left: bytes to come. Errors as services.ota.download's."""

    def __init__(self, session, job, offset):
        found = port.step("services._incoming", "begin", session, job, offset)
        self.link, self.left, self._skip = found

    def read(self, size):
        """size bytes, or what is left."""
        while True:
            port.idle()
            self.link.within(_STALL_MS)
            data = self.link.read(min(self.left, min(self._skip, _CHUNK) or size))
            self.left -= len(data)
            if not self._skip:
                return data
            self._skip -= len(data)  # a server without ranges sends it all


def begin(session, job, offset):
    """(link, bytes to come, how many of them are before offset). A step's function."""
    from .ota import download

    where = download._where(session.info, job["url"])
    link = port.step("connect.tls", "gateway", where, session.history["day"], _LINK_MS)
    try:
        size = job["file_size"]
        left, skip, _ = download.ask(link, where, offset, size - 1, size)
        return link, left, skip
    except BaseException:
        link.drop()
        raise
