from dynreg import Device
from dynreg.device import DeviceInfo

Device.forget(confirm=DeviceInfo().product_id)  # for a registration anew after the next reset
