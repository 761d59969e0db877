def on_control(topic, message):
    print(topic, message.decode())


session.subscribe("control", on_control, qos=1)  # {productId}/{deviceName}/control
session.publish("event", '{"alive":1}', qos=1, ms=10000)  # returns once the cloud has it
session.publish("event", bytes(200))
session.poll(100)  # callbacks, keep-alive, reconnect
print(session.connected, session.tls, session.within, session.refused)
print(session.granted(session.info.owner + "/control"))
session.unsubscribe("control")
session.disconnect()  # the broker has all that was published
session.connect()
session.close()  # at once, whatever may be lost
session.connect()
