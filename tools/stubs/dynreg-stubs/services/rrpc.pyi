from collections.abc import Callable

from ..mqtt.session import Session

def serve(
    session: Session, handler: Callable[[Call], str | bytes | bytearray | memoryview | None]
) -> None:
    """From now on handler(call) runs within session.poll() for each call, after reconnects too.

    What it returns (str, bytes) is the answer. Where it returns None it answers by call.answer(),
    then or later. A second serve() replaces the handler. LoginError where the cloud does not
    grant the topic; NetworkError.
    """

class Call:
    """One call: message (bytes), id (str), arrived (ticks_ms, when the board read it)."""

    message: bytes
    id: str
    arrived: int
    def answer(self, message: str | bytes | bytearray | memoryview) -> None:
        """Sends the answer (str, bytes; 16 KB at most), once.

        NetworkError "service.late", and nothing is sent, where the cloud waits no more: 10 s.
        After 4 s it is sent, with a warning, since the cloud may not wait so long. NetworkError
        where the connection is down: it may be tried again. ConfigError for a second answer.
        """
