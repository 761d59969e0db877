"""The boot of ours.py from flash in RAM: what is read from it between mount and the clock set.

Device side.
"""

import sys

import mark
import ramflash
import vfs

flash = ramflash.RamFlash()
with ramflash.host.open(ramflash.IMAGE, "rb") as file:
    file.readinto(flash.data)
sys.modules["esp32"] = ramflash.Esp32()
ramflash.mount(flash)

from dynreg import Device  # noqa: E402

device = Device()
session = device.connect()
device.sync_clock()
print("@reads", flash.reads)
mark.clock_set(session.tls)
session.disconnect()
vfs.umount("/")
with ramflash.host.open(ramflash.IMAGE, "wb") as file:
    file.write(flash.data)
