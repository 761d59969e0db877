"""A boot with this library, from nothing to the clock set, and an orderly end."""

import mark
from dynreg import Device

device = Device("device_info.json")
session = device.connect()
device.sync_clock()
mark.clock_set(session.tls)
session.disconnect()
mark.retained()
