from collections.abc import Callable

from ..mqtt.session import Session

def listen(session: Session, handler: Callable[[bytes], object]) -> None: ...
