from collections.abc import Callable
from typing import Literal

from ..device import DeviceInfo

class Packets:
    """Writes and reads packets; _deliver(topic, message, pid) gets what was published."""
    @property
    def connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
    def close(self) -> None:
        """Closes at once, without DISCONNECT; what was sent may be lost."""

class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. connected, and tls ("psk",
    "verified-ca" or "plain") say how it stands; refused: the topics that the broker no longer
    granted on the last reconnect, asked for again every 15 minutes; within: by how many
    milliseconds the clock was off at most when the cloud's time set it; None before, and from the
    day after on until it is set again.

    Callbacks run within poll() alone, one after the other, and may call whatever is here: what
    arrives meanwhile waits for its turn. Nothing but a DynregError comes out of any call, besides
    KeyboardInterrupt and its like.
    """

    info: DeviceInfo
    keepalive: int
    tls: Literal["psk", "verified-ca", "plain"] | None
    within: int | None
    refused: list[str]
    def connect(self) -> None:
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
    def sync_clock(self, ms: int = 10000) -> int:
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        poll() makes it better where the round trip was long, and does so again once a day.
        NetworkError when no reply comes within ms; ProtocolError when it holds no time, and at
        once where none came at the boot before: poll() then asks meanwhile.
        """
    def subscribe(
        self, name: str | bytes, callback: Callable[[str, bytes], object], qos: Literal[0, 1] = 0
    ) -> None:
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic or filter. LoginError when the cloud does not grant it; its rights are set in the
        console.
        """
    def unsubscribe(self, name: str | bytes) -> None:
        """Ends what subscribe() began; NetworkError where no UNSUBACK comes within 10 s."""
    def granted(self, topic: str) -> Literal[0, 1]:
        """The QoS that a whole topic was subscribed with; 0 where it was not."""
    def publish(
        self,
        name: str | bytes,
        message: str | bytes | bytearray | memoryview,
        qos: Literal[0, 1] = 0,
        ms: int = 60000,
        wait: bool = False,
    ) -> None:
        """Sends message (str, bytes, bytearray or memoryview; 16 KB at most).

        With QoS 1 it is sent again, over reconnects too, until the PUBACK comes; NetworkError
        "network.unacknowledged" where that is not within ms milliseconds. wait: where the
        connection is down, or ends meanwhile, it waits until poll() has made it anew, however
        long that takes (ms is no limit then), and publishes.
        """
    def poll(self, ms: int = 0) -> None:
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect, daily time.

        All that is there already is taken, 64 packets at most beyond ms. A lost connection is
        tried again after 5 s and more; what takes longer to pass, a refusal or a certificate that
        is not the cloud's, every 15 to 60 minutes. What only a person can mend on the board
        (ConfigError) comes out. Longer than ms only where a reconnect or the daily time exchange
        is on its way.
        """
    def disconnect(self) -> None:
        """DISCONNECT, then closes; poll() does not reconnect after that without connect().

        Waits for the broker to close first, 2 s at most: all that was published is there then,
        and power and radio may go.
        """
