"""A boot with this library whose connection is lost three times, and made again each time."""

import mark
from dynreg import Device

device = Device("device_info.json")
session = device.connect()
device.sync_clock()
mark.clock_set(session.tls)
for _ in range(3):
    session.connect()  # drops the connection that stands, as a lost one is dropped
session.disconnect()
mark.retained()
