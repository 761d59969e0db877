"""select for a board with a fast clock. Device side; other boards have the port's own."""

import _board

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16


class poll:
    def __init__(self):
        self._poll = _board.native["select"].poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, timeout=-1):
        return _board.wait(self._poll, timeout)

    ipoll = poll
