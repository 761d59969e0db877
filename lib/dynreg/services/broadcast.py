"""Messages to all devices of the product at once (docs/protocol.md, 7: broadcast).

from dynreg.services import broadcast

broadcast.listen(session, lambda message: print(message))
"""


def listen(session, handler):
    """From now on handler(message: bytes) runs within session.poll(), after reconnects too.

    There is no answer, and nothing is kept for a board that is offline. A second listen()
    replaces the handler. LoginError where the cloud does not grant the topic; NetworkError.
    """
    session.subscribe(
        "$broadcast/rxd/" + session.info.owner, lambda topic, message: handler(message)
    )
