from ..mqtt.session import Session

class Queue:
    dropped: int
    recent: list[bytes]
    def __init__(
        self,
        folder: str = "/queue",
        messages: int = 1000,
        size: int = 65536,
        newest: bool = False,
        writes: int = 120,
    ) -> None: ...
    @property
    def waiting(self) -> int: ...
    def put(
        self,
        name: str,
        message: str | bytes | bytearray | memoryview,
        session: Session | None = None,
    ) -> bool: ...
    def send(self, session: Session, ms: int = 60000) -> int: ...
    def skip(self) -> None: ...
    def save(self, now: bool = True) -> bool: ...
