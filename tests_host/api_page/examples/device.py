from dynreg import Device, DynregError

device = Device(idle=lambda: None)  # /device_info.json; idle: the place to feed a watchdog
try:
    device.register()  # connect() does so too
    session = device.connect(keepalive=60, attempts=3)  # attempts=0: for ever
    device.sync_clock()
except DynregError as error:
    print(device.report(error))
    raise
print(device.registered, device.fingerprint, device.state()["copy_2"])
print(device.status())
