from ..mqtt.session import Session
from . import ota

class Updater(ota.Updater):
    """As ota.Updater. An image goes straight into the slot that does not run.

    It is on trial from its first start on: confirm() tells the bootloader as well. One that is not
    confirmed is gone with the next reset, where the bootloader can do that, else after 10 minutes.
    """
    def __init__(self, session: Session) -> None: ...
    def confirm(self) -> None:
        """Keeps the program that runs. The cloud is told so when it can be.

        The boot stub's watchdog, which nothing can stop, ends with a restart: poll() does it.
        """
    def back(self) -> None:
        """Starts the program before this one, by a reset; only while trial says so."""
