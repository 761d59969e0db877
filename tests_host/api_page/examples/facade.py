import dynreg.services.vendor  # shadowInit(), rrpcInit() and the like
from hub.hub import QcloudHub

hub = QcloudHub("/device_info.json")
logger = hub.logInit(hub.LoggerLevel.INFO)
code, secret = hub.dynregDevice()
hub.registerMqttCallback(None, None, print, None, None, None)
hub.connect()
if hub.isMqttConnected():
    topic = "%s/%s/event" % (hub.getProductID(), hub.getDeviceName())
    code, mid = hub.publish(topic, {"alive": 1}, 1)
    hub.getNtpAccurateTime()
hub.disconnect()
