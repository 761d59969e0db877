from dynreg import port, unix_time

print(unix_time(), port.unix_ms(), port.utc(port.unix_ms()), port.unique_id())
port.pause(100)  # as time.sleep_ms(), with Device(idle=…) called meanwhile
