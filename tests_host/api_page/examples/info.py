from dynreg.device import DeviceInfo

info = DeviceInfo()
print(info.product_id, info.device_name, info.mode)
print(info.mqtt.scheme, info.mqtt.host, info.mqtt.port, info.mqtt.secure, info.mqtt.ca)
if info.wifi:
    print(info.wifi["ssid"])
