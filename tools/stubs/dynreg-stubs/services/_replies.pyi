from ..mqtt.session import Session

class Requests:
    session: Session
    def sync(self) -> None: ...
