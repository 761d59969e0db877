from collections.abc import Callable

from ..mqtt.session import Session

def listen(session: Session, handler: Callable[[bytes], object]) -> None:
    """From now on handler(message: bytes) runs within session.poll(), after reconnects too.

    There is no answer, and nothing is kept for a board that is offline. A second listen()
    replaces the handler. LoginError where the cloud does not grant the topic; NetworkError.
    """
