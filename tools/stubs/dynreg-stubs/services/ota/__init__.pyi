from ...mqtt.session import Session

class Updater:
    """Takes the updates of one session's device. No network is needed to make one.

    version: of the program that runs. trial: whether it is still to be confirmed; else it goes
    when its time or its number of starts is over, and the one before comes back.
    """

    session: Session
    version: str
    trial: bool
    failures: int
    def __init__(self, session: Session) -> None: ...
    def confirm(self) -> None:
        """Keeps the program that runs. The cloud is told so when it can be.

        The boot stub's watchdog, which nothing can stop, ends with a restart: poll() does it.
        """
    def poll(self) -> None:
        """Does what is due: tells the cloud, fetches, switches. Call it beside session.poll().

        A download closes the session, 2 minutes at a time, since a board has no memory for two
        TLS connections; session.poll() makes it anew. Nothing that a network or a server does
        comes out; StorageError where the flash does not take the state.
        """
    def back(self) -> None:
        """Starts the program before this one, by a reset; only while trial says so."""
