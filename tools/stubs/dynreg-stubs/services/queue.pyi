from ..mqtt.session import Session

class Queue:
    """The queue in folder, as it was left.

    messages, size: how many messages, and bytes in files and RAM (of a message 8 and its topic's
    besides its own), may be there at most; a file takes a block of flash at least. newest: when
    there are more the oldest go, a whole file of them at once; else the new one is refused.
    writes: changes of the flash an hour; an append counts twice, as its file is removed one day.
    What comes sooner waits in RAM, 4 KB at most; 0 for no limit.

    recent: the records in RAM, which a power cut would lose. dropped: messages since the start
    that found no room, were damaged in the flash or that no session can send. StorageError where
    the folder cannot be read.
    """

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
    def waiting(self) -> int:
        """How many messages wait, recent's too."""
    def put(
        self,
        name: str,
        message: str | bytes | bytearray | memoryview,
        session: Session | None = None,
    ) -> bool:
        """Takes message (str, bytes, bytearray or memoryview; 16 KB at most) for name, a topic as
        Session.publish() has it. False where it finds no room.

        session: sends what waits and then this, where it is connected; the flash is written to
        only where that fails. Errors as of send().
        """
    def send(self, session: Session, ms: int = 60000) -> int:
        """Publishes what waits, while session is connected; how many messages wait then.

        ms: for the acknowledgement of each, over reconnects too. DynregError where only a person
        can mend it.
        """
    def skip(self) -> None:
        """Forgets the message that send() has tried last, and that is still the first.

        For one over which the cloud closes the connection each time: it holds up all others.
        """
    def save(self, now: bool = True) -> bool:
        """Writes what waits in RAM. now: sooner than `writes` has it, before machine.deepsleep().

        Whether nothing waits in RAM then, as where the flash does not take it.
        """
