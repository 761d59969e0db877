from collections.abc import Callable

from ..mqtt.session import Session

def serve(
    session: Session, handler: Callable[[Call], str | bytes | bytearray | memoryview | None]
) -> None: ...

class Call:
    message: bytes
    id: str
    arrived: int
    def answer(self, message: str | bytes | bytearray | memoryview) -> None: ...
