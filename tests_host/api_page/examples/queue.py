from dynreg.services.queue import Queue

queue = Queue(messages=100, size=16384, newest=True)
queue.put("event", '{"t":21}')  # connected or not
queue.put("event", '{"t":22}', session)  # sends both, the older first
print(queue.waiting, queue.dropped, len(queue.recent))
if queue.send(session):  # what is left: the connection is down
    queue.skip()  # gives up the message that the cloud does not take
queue.save()  # before machine.deepsleep()
