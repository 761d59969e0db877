"""Bytes in the board's flash: device_info.json, the second copy's record, certificate files."""

from binascii import b2a_base64, crc32

import canaries
import fakes
import jsontext
from dynreg import port
from dynreg.connect import tls, trust
from dynreg.device import DeviceInfo
from dynreg.register import first_boot
from dynreg.roots import iothub
from dynreg.storage import credentials, store
from judge import capture_log, expect, finish, logged, tried
from mutations import mutated

_DEVICE_INFO = (
    (b"auth_mode", b'"KEY"'),
    (b"productId", b'"ABCDEFGHIJ"'),
    (b"productSecret", b'"' + canaries.PRODUCT_SECRET.encode() + b'"'),
    (b"deviceName", b'"esp32-{mac}"'),
    (b"key_deviceinfo", b'{"deviceSecret": "' + canaries.DEVICE_SECRET.encode() + b'"}'),
    (b"cert_deviceinfo", b'{"devCertFile": "YOUR_CERT", "devPrivateKeyFile": "YOUR_KEY"}'),
    (b"region", b'"china"'),
    (b"burnProductSecret", b"true"),
    (b"early", b"false"),
    (b"endpoint", b'{"gateway": "https://h.l:8443", "mqtt": "mqtts://h.l", "mqttCa": "/ca.der"}'),
    (b"wifi", b'{"ssid": "bench", "password": "' + canaries.WIFI_PASSWORD.encode() + b'"}'),
)
_DECOYS = (  # what healing must not take for the credential's own place
    (b"note", b'"deviceSecret"'),
    (b"note", b'"key_deviceinfo"'),
    (b"old", b'{"deviceSecret": "YQ==", "check": "0"}'),
    (b"old", b'{"key_deviceinfo": {"deviceSecret": "YQ=="}}'),
    (b"productSecrets", b'[{"productSecret": "x"}]'),
)
_SECTIONS = {  # the members of the objects within, which are changed one by one as well
    b"key_deviceinfo": ((b"deviceSecret", b'"Y2FuYXJ5LWRldmljZS1rZXk="'), (b"check", b'"0"')),
    b"wifi": ((b"ssid", b'"bench"'), (b"password", b'"canary wi-fi password"')),
    b"endpoint": ((b"gateway", b'"http://h.l"'), (b"mqtt", b'"mqtt://h.l:1"'), (b"date", b'"x"')),
    b"cert_deviceinfo": ((b"devCertFile", b'"c.pem"'), (b"devPrivateKeyFile", b'"k.pem"')),
}
_ROOT = iothub.certificate()
_ROOT_PEM = b"-----BEGIN CERTIFICATE-----\n" + b2a_base64(_ROOT) + b"-----END CERTIFICATE-----\n"
# --- device_info.json ---------------------------------------------------------------------------


def a_device_info(source):
    members = list(_DEVICE_INFO)
    for _ in range(source.below(3)):
        members.insert(source.below(len(members)), source.one_of(_DECOYS))
    for place, (key, _) in enumerate(members):
        if key in _SECTIONS and source.chance(3):
            members[place] = key, jsontext.changed(source, _SECTIONS[key])
    if source.chance(4):
        members[0] = b"auth_mode", b'"CERT"'
    return jsontext.changed(source, members)


def read_device_info(data):
    """DeviceInfo and the credential in it; what is healed must read as before."""
    capture_log()
    fakes.module("esp32", None)
    fakes.replace(port, "unique_id", lambda: b"\x24\x6f\x28\0\0\1")
    path = fakes.write(fakes.folder() + "/device_info.json", data)
    info, error = tried(DeviceInfo, path)
    if not error:
        _check_info(info)
        tried(credentials.need_product_secret, info)
        ails, error = tried(credentials.load, info)
        if not error:
            tried(store.heal, info, *ails)
    if not error and info.credential:
        if info.burn:
            tried(first_boot.run, info, None)
        again = DeviceInfo(path)
        credentials.load(again)
        expect(again.client_id == info.client_id, "another device after healing")
        expect(again.credential == info.credential, "another credential after healing")
        states = credentials.in_file(again)[0], credentials.in_record(again)[0]
        good = states == ("good", "good") or logged("cannot be healed")
        expect(good, "the copies are not good after healing")
    finish()


def _check_info(info):
    expect(info.mode in ("KEY", "CERT"), "no mode")
    for text in (info.product_id, info.device_name):
        expect(isinstance(text, str) and 1 <= len(text) <= 48, "no name")
    secret = info.product_secret
    expect(secret is None or 16 <= len(secret.encode()) <= 32, "no product secret")
    for endpoint in (info.gateway, info.mqtt, info.date):
        expect(isinstance(endpoint.host, str) and endpoint.host, "no host")
        expect(0 < endpoint.port < 65536, "no port")
        expect(endpoint.ca is None or isinstance(endpoint.ca, str), "a CA that is no path")
        str(endpoint)
    expect(info.wifi is None or isinstance(info.wifi["ssid"], str), "no ssid")
    expect(info.burn in (True, False) and info.early in (True, False), "no switches")


# --- the second copy ----------------------------------------------------------------------------


def a_record(source):
    key = b'["ABCDEFGHIJ/dev-01", 1767323045, "' + canaries.DEVICE_SECRET.encode() + b'"]'
    pem = b'["ABCDEFGHIJ/dev-01", 0, "-----BEGIN", "-----END"]'
    if source.chance(2):
        items = [b'"ABCDEFGHIJ/dev-01"', b"0", b'"' + canaries.DEVICE_SECRET.encode() + b'"']
        for _ in range(1 + source.below(3)):
            items[source.below(len(items))] = jsontext.value(source)
            if source.chance(4):
                items.append(jsontext.string(source))
        data = b"[" + b", ".join(items) + b"]"
    else:
        data = mutated(source, source.one_of((key, pem)), (key, pem))
    if source.chance(8):
        data = jsontext.value(source)
    data = data[:8000]  # more does not fit in NVS
    whole = crc32(data).to_bytes(4, "big") + data
    mode = source.one_of(("KEY", "CERT"))
    return mode, mutated(source, whole) if source.chance(4) else whole


def read_record(case):
    """What the second copy yields, of mode and the record's bytes."""
    mode, data = case
    capture_log()
    fakes.module("esp32", None)
    folder = fakes.folder()
    values = fakes.values(auth_mode=mode, cert_deviceinfo={}, key_deviceinfo={})
    path = fakes.write(folder + "/device_info.json", fakes.json.dumps(values))
    fakes.write(folder + "/dynreg.rec", data)
    info = DeviceInfo(path)
    found, error = tried(credentials.in_record, info)
    if not error:
        state, value = found
        if state == "good":
            kind = str if mode == "KEY" else tuple
            expect(isinstance(value, kind) and value, "a credential that is none")
            expect(kind is str or len(value) == 2, "more or less than a pair")
            expect(isinstance(info.registered_at, int), "registered_at is no number")
        else:
            expect(state == "damaged" and value is None, "a state that is none")
    finish()


# --- certificates -------------------------------------------------------------------------------


def a_pem(source):
    """(whether it is the device's own pair, the file's bytes, the key's)"""
    certificate = source.one_of((_ROOT_PEM, _ROOT, canaries.CERTIFICATE.encode()))
    if source.chance(3):
        certificate += _ROOT_PEM
    key = canaries.PRIVATE_KEY.encode()
    if source.chance(2):
        if source.below(4):
            certificate = mutated(source, certificate, (key, _ROOT))
        return False, certificate, b""
    if source.chance(2):
        key = mutated(source, key, (certificate,))
    if source.chance(2):
        certificate = mutated(source, certificate, (key,))
    return True, certificate, key


def read_pem(case):
    """A TLS context of a CA file, or of the device's own certificate and key."""
    own, certificate, key = case
    capture_log()
    if own:
        try:
            pair = certificate.decode(), key.decode()
        except UnicodeError:
            return
        tried(trust.context, None, tls.BROKER, pair)
    else:
        path = fakes.write(fakes.folder() + "/ca.pem", certificate)
        tried(trust.check, path)
    finish()


def setup():
    """What stays for all cases."""
    store.sync = lambda: None  # thousands of real ones would take their time
