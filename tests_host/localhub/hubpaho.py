"""paho-mqtt as a device, for the hub's tests."""

import ssl
import threading
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


class Paho:
    """A paho client that notes what happens; waits for each step.

    `tls` is a client-side context, True for one that trusts the hub, False for plain TCP.
    """

    def __init__(self, hub, login, tls=False):
        client_id, username, password = login
        self.codes, self.messages, self.grants = [], [], []
        self.news = threading.Condition()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(username, password)
        self.client.on_connect = lambda c, u, flags, code, p: self.note(self.codes, code)
        self.client.on_message = lambda c, u, message: self.note(self.messages, message)
        self.client.on_subscribe = lambda c, u, mid, codes, p: self.note(self.grants, codes[0])
        if tls:
            if tls is True:
                tls = ssl.create_default_context(cafile=str(hub.ca_pem))
            self.client.tls_set_context(tls)
        url = urlsplit(hub.mqtts if tls else hub.mqtt)
        self.client.connect(url.hostname, url.port, keepalive=60)
        self.client.loop_start()

    def note(self, items, item):
        with self.news:
            items.append(item)
            self.news.notify_all()

    def wait(self, items, count=1):
        with self.news:
            assert self.news.wait_for(lambda: len(items) >= count, 30)
        return items[count - 1]

    def __enter__(self):
        assert self.wait(self.codes) == 0
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()
