"""A client that is not ours, for `./dev bench --peer`: requests and paho-mqtt on CPython.

Verified TLS, a secret kept in DYNREG_FOLDER; the environment is what `./dev bench --help` says.
With "--fail" it ends before it has done anything, as a peer may.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import requests
from paho.mqtt.enums import CallbackAPIVersion

GIVEN = {key[7:].lower(): value for key, value in os.environ.items() if key[:7] == "DYNREG_"}


def sha256_hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)


def register():
    product = GIVEN["product_id"]
    body = json.dumps({"ProductId": product, "DeviceName": GIVEN["device_name"]})
    host = GIVEN["gateway"].split("/")[2].split(":")[0]
    stamp, nonce = str(int(time.time())), str(secrets.randbelow(2**31 - 1) + 1)
    digest = hashlib.sha256(body.encode()).hexdigest()
    text = "\n".join(["POST", host, "/device/register", "", "hmacsha256", stamp, nonce, digest])
    signature = sha256_hmac(GIVEN["product_secret"].encode(), text).digest()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": stamp,
        "X-TC-Nonce": nonce,
        "X-TC-Signature": base64.b64encode(signature).decode(),
    }
    url = GIVEN["gateway"] + "/device/register"
    answer = requests.post(url, data=body, headers=headers, verify=GIVEN["ca_pem"], timeout=30)
    reply = answer.json()["Response"]
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = GIVEN["product_secret"].encode()[:16]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(b"0" * 16)).decryptor()
    plain = decryptor.update(base64.b64decode(reply["Payload"])) + decryptor.finalize()
    return json.loads(plain[: reply["Len"]])["psk"]


def main():
    if "--fail" in sys.argv:
        sys.exit("peer: as asked")
    kept = Path(GIVEN["folder"], "secret")
    if not kept.exists():
        with open(os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(register())
    client_id = GIVEN["product_id"] + GIVEN["device_name"]
    user = f"{client_id};12010126;{secrets.token_hex(3)[:5]};2147483647"
    password = (
        sha256_hmac(base64.b64decode(kept.read_text(encoding="utf-8")), user).hexdigest()
        + ";hmacsha256"
    )
    own = f"{GIVEN['product_id']}/{GIVEN['device_name']}"
    question = '{"type":"get","resource":["time"]}'
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
    client.username_pw_set(user, password)
    client.tls_set(GIVEN["ca_pem"])
    client.on_connect = lambda c, *_: c.subscribe("$sys/operation/result/" + own)
    client.on_subscribe = lambda c, *_: c.publish("$sys/operation/" + own, question)
    client.on_message = lambda c, *_: c.disconnect()
    client.connect(GIVEN["mqtt_host"], int(GIVEN["mqtt_port"]))
    client.loop_forever()


if __name__ == "__main__":
    main()
