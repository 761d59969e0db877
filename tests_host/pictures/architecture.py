"""The whole in one picture: the command, the hub, the board with its library in layers, the tests.

What a box names are files and folders of the clone; a test holds that each of them exists.
"""

from dataclasses import dataclass

from dynreg_tools.bench.drawing import WIDTH, Drawing
from tests_host.pictures.shapes import arrow

TOOLS, LIB, TESTS = "tools/dynreg_tools", "lib/dynreg", "tests_host"
_EDGE, _PAD, _LINE = 16, 10, 20
_BETWEEN = 20
_WHOLE = WIDTH - 2 * _EDGE
_HALF = (_WHOLE - _BETWEEN) / 2


@dataclass(frozen=True)
class Box:
    """A frame: title, lines of names below the folder `below`, and a line in other words."""

    x: float
    y: float
    width: float
    title: str
    below: str
    lines: tuple[str, ...]
    note: str = ""
    fill: str = "card"
    height: float = 0

    def paths(self) -> list[str]:
        """What it names, from the clone's root; behind "folder:" in that folder."""
        found = []
        for line in self.lines:
            folder, _, names = line.rpartition(":")
            found += [f"{self.below}/{folder}/{name}" for name in names.split()]
        return found

    def bottom(self) -> float:
        """Where it ends."""
        return self.y + (self.height or 2 * _PAD + _LINE * (len(self.lines) + bool(self.note) + 1))

    def draw(self, drawing: Drawing) -> None:
        """The frame and what stands in it."""
        frame = {"x": self.x, "y": self.y, "width": self.width, "height": self.bottom() - self.y}
        drawing.shape("rect", self.fill, "rule", **frame, rx=6)
        x, y = self.x + _PAD, self.y + _PAD + 14
        drawing.text(x, y, self.title, bold=True)
        for line in self.lines:
            y += _LINE
            words = line.replace(".py", "").replace(" ", ", ").replace(":,", ":")
            drawing.text(x, y, words)
        if self.note:
            drawing.text(x, y + _LINE, self.note, "muted")


def _layer(y: float, title: str, *names: str) -> Box:
    return Box(_EDGE + _PAD, y, _WHOLE - 2 * _PAD, title, LIB, names, fill="page")


BOXES = (
    Box(_EDGE, 16, _HALF, "dynreg, the command", TOOLS, ("cli.py commands", "bench testing")),
    Box(
        _EDGE,
        136,
        _HALF,
        "What it does to boards",
        f"{TOOLS}/boards",
        ("fleet.py report.py", "plan.py apply.py flashing", "link.py onboard"),
    ),
    Box(
        _EDGE + _HALF + _BETWEEN,
        16,
        _HALF,
        "The local hub",
        f"{TOOLS}/hub",
        ("http mqtt udp tls", "services rules.py store.py", "faults workbench"),
        note="in the cloud's place",
    ),
    Box(
        _EDGE,
        292,
        _WHOLE,
        "A board: an ESP32, or a virtual one",
        TOOLS,
        ("virtualboard",),
        height=514,
    ),
    _layer(348, "Always loaded", "device.py errors.py log.py port.py"),
    _layer(416, "Each boot: what is stored", "storage: device_file.py credentials.py notes.py"),
    _layer(484, "First boot", "register: first_boot.py gateway.py", "storage: store.py"),
    _layer(572, "Each connect", "connect: connection.py tls.py trust.py login.py"),
    _layer(640, "While connected", "mqtt: session.py acknowledged.py timesync.py"),
    _layer(
        708,
        "Optional",
        "services: shadow.py thing.py rrpc.py config.py",
        "services: ota queue.py aio.py",
    ),
    Box(
        _EDGE,
        822,
        _WHOLE,
        "Tests, of each part and of the whole",
        TESTS,
        (
            "corpus fuzz model",
            "virtualboard flow faults power ota",
            "localhub browser fleet cli testing",
            "bench herd soak long",
        ),
    ),
)


def architecture() -> str:
    """The picture as SVG."""
    drawing = Drawing(
        "How the parts of the project fit together",
        "The dynreg command works on boards over a serial port. A board is an ESP32 or a virtual "
        "one; on it the library lib/dynreg has layers, of which only one is always loaded. The "
        "board speaks HTTPS, MQTT and NTP with the local hub, or with Tencent Cloud. The tests "
        "try each part and the whole. The tables of the page name every module.",
        height=BOXES[-1].bottom() + _EDGE,
    )
    command, boards, hub, board, *_ = BOXES
    for box in BOXES:
        box.draw(drawing)
    drawing.text(board.x + board.width - _PAD, board.y + 44, LIB, "muted", anchor="end")
    left, right = _EDGE + 24, hub.x + 24
    arrow(drawing, "ink", left, command.bottom(), left, boards.y)
    arrow(drawing, "ink", _EDGE + _HALF, 56, hub.x, 56)
    arrow(drawing, "ink", left, boards.bottom(), left, board.y)
    drawing.text(left + 14, (boards.bottom() + board.y) / 2 + 5, "serial port")
    arrow(drawing, "blue", right, board.y, right, hub.bottom())
    middle = (hub.bottom() + board.y) / 2
    drawing.text(right + 14, middle - 5, "HTTPS, MQTT, NTP")
    drawing.text(right + 14, middle + 15, "or to Tencent Cloud", "muted")
    return drawing.svg()
