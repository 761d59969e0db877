"""Which ports are boards'."""

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from dynreg_tools.boards import discovery

FOUND = {  # what lsusb says of boards
    "ESP32-DevKitC": 0x10C4,
    "ESP32 with CH340": 0x1A86,
    "ESP32 with FT232R": 0x0403,
    "ESP32 with PL2303": 0x067B,
    "ESP32-S3-DevKitC by its own USB": 0x303A,
    "Arduino Nano ESP32": 0x2341,
    "Adafruit Feather ESP32-S3": 0x239A,
    "Seeed XIAO ESP32S3": 0x2886,
    "DFRobot FireBeetle 2 ESP32-S3": 0x3343,
    "MicroPython's own": 0xF055,
}


@pytest.mark.parametrize("name", FOUND)
def test_a_board_is_found_by_its_vendor(monkeypatch, name):
    ports = [ListPortInfo(f"/dev/ttyACM{n}", skip_link_detection=True) for n in range(3)]
    ports[0].vid, ports[1].vid, ports[2].vid = 0x046D, FOUND[name], None  # a mouse; no USB
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    assert discovery.connected() == ["/dev/ttyACM1"]
