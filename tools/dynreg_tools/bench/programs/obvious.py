"""The obvious program: requests and umqtt.simple as one would call them after an afternoon.

It registers when its file holds no secret, logs in, asks for the time. Nothing is verified, no
error handled, the secret is kept once: what dynreg is measured against, not an example to follow.
"""

import hashlib
import json
import random
import time
from binascii import a2b_base64, b2a_base64, hexlify

import cryptolib
import mark
import requests
from umqtt.simple import MQTTClient


def hmac_sha256(key, message):
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


def register():
    body = json.dumps({"ProductId": config["product_id"], "DeviceName": config["device_name"]})
    stamp, nonce = str(int(time.time())), str(random.randint(1, 1 << 30))
    host = config["gateway"].split("/")[2].split(":")[0]
    digest = hexlify(hashlib.sha256(body.encode()).digest()).decode()
    text = "\n".join(["POST", host, "/device/register", "", "hmacsha256", stamp, nonce, digest])
    secret = config["product_secret"].encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": stamp,
        "X-TC-Nonce": nonce,
        "X-TC-Signature": b2a_base64(hmac_sha256(secret, text.encode())).strip().decode(),
    }
    answer = requests.post(config["gateway"] + "/device/register", data=body, headers=headers)
    reply = answer.json()["Response"]
    payload = cryptolib.aes(secret[:16], 2, b"0" * 16).decrypt(a2b_base64(reply["Payload"]))
    config["device_secret"] = json.loads(payload[: reply["Len"]])["psk"]
    with open("obvious.json", "w") as file:
        json.dump(config, file)


def on_message(topic, message):
    global now
    reply = json.loads(message)
    now = reply["time"]


with open("obvious.json") as file:
    config = json.load(file)
if "device_secret" not in config:
    register()

client_id = config["product_id"] + config["device_name"]
user = client_id + ";12010126;" + str(random.randint(10000, 99999)) + ";2147483647"
key = a2b_base64(config["device_secret"])
password = hexlify(hmac_sha256(key, user.encode())).decode() + ";hmacsha256"
client = MQTTClient(
    client_id, config["mqtt_host"], config["mqtt_port"], user, password, keepalive=60, ssl=True
)
client.set_callback(on_message)
client.connect()

now = 0
own = config["product_id"] + "/" + config["device_name"]
client.subscribe("$sys/operation/result/" + own)
client.publish("$sys/operation/" + own, '{"type":"get","resource":["time"]}')
while not now:
    client.wait_msg()
mark.clock_set("unverified")
client.disconnect()
mark.retained()
