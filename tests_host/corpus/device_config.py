"""device_info.json: what is read from it, and each mistake named with file, key and remedy."""

import json

import canaries
import fakes
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError
from dynreg.storage import credentials, device_file


def _wrong(says, **changes):
    """The ConfigError for a device_info.json with these changes; it names the file and says."""
    return _wrong_file(json.dumps(fakes.values(**changes)), says)


def _wrong_file(data, says):
    path = fakes.write(fakes.folder() + "/device_info.json", data)
    error = fakes.raises(ConfigError, DeviceInfo, path, code="config", says=path)
    for word in says:
        assert word in str(error), (word, str(error))
    return error


def _right(**changes):
    return DeviceInfo(fakes.device_info(**changes))


def test_a_good_file():
    info = _right()
    assert info.product_id == fakes.PRODUCT
    assert info.product_secret == canaries.PRODUCT_SECRET
    assert info.device_name == fakes.NAME
    assert info.client_id == fakes.PRODUCT + fakes.NAME
    assert (info.mode, info.section) == ("KEY", "key_deviceinfo")
    assert info.credential is None, "credentials.load() finds it"
    assert info.burn is False
    assert info.wifi == {"ssid": "bench", "password": canaries.WIFI_PASSWORD}


def test_a_good_file_in_certificate_mode():
    info = _right(auth_mode="CERT", cert_deviceinfo={"devCertFile": "a.pem"}, key_deviceinfo=None)
    assert (info.mode, info.section) == ("CERT", "cert_deviceinfo")
    assert info.credential is None


def _secret(**changes):
    """(state, secret) of the copy in a file with these changes."""
    return credentials.in_file(_right(**changes))


def test_a_secret_that_is_filled_in():
    section = {"deviceSecret": canaries.DEVICE_SECRET}
    assert _secret(key_deviceinfo=section) == ("unchecked", canaries.DEVICE_SECRET)


def test_what_may_be_left_out():
    info = _right(auth_mode=None, key_deviceinfo=None, region=None, wifi=None)
    assert (info.mode, info.wifi) == ("KEY", None)
    assert credentials.in_file(info) == ("missing", None)
    assert str(info.gateway) == "https://ap-guangzhou.gateway.tencentdevices.com:443"


def test_a_secret_not_filled_in_is_none():
    for secret in ("YOUR_DEVICE_SECRET", "", None):
        for check in ("", "00000000", None):
            section = {"deviceSecret": secret, "check": check}
            assert _secret(key_deviceinfo=section) == ("missing", None), secret


def test_a_missing_file():
    path = fakes.folder() + "/device_info.json"
    fakes.raises(ConfigError, DeviceInfo, path, code="config", says=(path, "read", "mpremote cp"))


def test_a_file_cut_off_at_any_place():
    whole = json.dumps(fakes.values())
    for size in range(len(whole)):
        _wrong_file(whole[:size], ("no whole JSON object", "copy it anew"))


def test_a_temporary_file_is_in_force_only_when_it_is_whole():
    whole = json.dumps(fakes.values())
    path = fakes.folder() + "/device_info.json"
    for size in range(0, len(whole), 7):
        fakes.write(path + ".tmp", whole[:size])
        fakes.raises(ConfigError, DeviceInfo, path, code="config", says=(path, "mpremote cp"))
        assert not fakes.exists(path)
    fakes.write(path + ".tmp", whole)
    assert DeviceInfo(path).device_name == fakes.NAME
    assert fakes.read(path).decode() == whole and not fakes.exists(path + ".tmp")


def test_a_file_that_is_no_json():
    for data in ("device: x", b"\0" * 64, b"\xff" * 64 + b"{", "{'a': 1}", '{"a": 1} x'):
        _wrong_file(data, ("no whole JSON object", "copy it anew"))


def test_a_byte_order_mark():
    text = "\ufeff" + json.dumps(fakes.values())
    _wrong_file(text, ("byte order mark", "UTF-8 without"))
    _wrong_file("\ufeff", ("byte order mark",))


def test_utf_16():
    text = "".join(char + "\0" for char in json.dumps(fakes.values()))
    for data in (b"\xff\xfe" + text.encode(), text.encode(), b"\xfe\xff\0" + text.encode()[:-1]):
        _wrong_file(data, ("is saved as UTF-16", "save it as UTF-8"))
    _wrong_file(b"\0" + text.encode()[:-1], ("is saved as UTF-16", "save it as UTF-8"))


def test_gbk_and_latin_1():
    whole = json.dumps(fakes.values(note="NOTE")).encode()
    for name, note in (
        ("Latin-1", b"ol\xe9"),
        ("Latin-1", b"\xfcber \xe9t\xe9"),
        ("GBK", b"\xb2\xe2\xca\xd4"),
        ("GBK", b"\xbc\xd2 wifi \xb0\xec\xb9\xab\xca\xd2"),
    ):
        says = ("is saved as " + name, "save it as UTF-8")
        _wrong_file(whole.replace(b"NOTE", note), says)


def test_line_ends_of_windows_are_no_fault():
    for end in ("\r\n", "\n", "\r"):
        text = json.dumps(fakes.values()).replace(", ", "," + end + "  ") + end
        path = fakes.write(fakes.folder() + "/device_info.json", text)
        assert DeviceInfo(path).product_secret == canaries.PRODUCT_SECRET


def test_a_comma_before_a_closing_bracket():
    whole = json.dumps(fakes.values(list=[1, 2], empty={}))
    assert whole.endswith("}") and "[1, 2]" in whole and "{}" in whole
    for text in (
        whole[:-1] + ",}",
        whole[:-1] + " ,\r\n }\n",
        whole.replace("[1, 2]", "[1, 2,]"),
        whole.replace("[1, 2]", "[,]"),
        whole.replace("{}", "{,}"),
        whole.replace("{}", '{"a": "\\\\",}'),
    ):
        says = f"comma too many in line {1 + text.count(chr(10), 0, -1)}"
        _wrong_file(text, (says, "take it out"))


def test_commas_and_colons_that_micropython_reads_past():
    good = '{\n "a": "1",\n "b": [1, "x"],\n "c": {"d": null},\n REST}'
    good = good.replace("REST", json.dumps(fakes.values())[1:-1])
    assert DeviceInfo(fakes.write(fakes.folder() + "/device_info.json", good)).mode == "KEY"
    for old, new, says in (
        ('"1",\n', '"1"\n', "lacks a comma in line 3"),
        ("],\n", "]\n", "lacks a comma in line 4"),
        ("},\n", "}\n", "lacks a comma in line 5"),
        ('1, "x"', '1 "x"', "lacks a comma in line 3"),
        ('1, "x"', '"x" 1', "lacks a comma in line 3"),
        ('1, "x"', "[] {}", "lacks a comma in line 3"),
        ('"a": ', '"a" ', "lacks a colon in line 2"),
        ('"d": null', '"d" null', "lacks a colon in line 4"),
        ('"d": null', '"d"', "lacks a colon in line 4"),
        ('"d": null', '"d", "e": 1', "lacks a colon in line 4"),
        ('"a": ', '"a":: ', "no whole JSON object"),
        ('"d": null', '"d":', "no whole JSON object"),
        ('"d": null', "5: null", "no whole JSON object"),
        ('1, "x"', '1: "x"', "no whole JSON object"),
        ('"x"]', '"x"}', "no whole JSON object"),
        ("null}", "null]", "no whole JSON object"),
        ('"1",\n', '"1",,\n', "comma too many in line 2"),
        ('{\n "a"', '{,\n "a"', "comma too many in line 1"),
        ("[1", "[,1", "comma too many in line 3"),
    ):
        assert good.count(old) == 1, old
        _wrong_file(good.replace(old, new), (says,))


def test_emoji_and_chinese_in_wifi_names_and_passwords():
    for text in ("ol\u00e9", "\u5bb6\u91cc", "\U0001f600 home \U0010ffff", "\ud7ff\ue000"):
        units = text.encode()
        escaped = "".join(f"\\u{ord(char):04x}" for char in text if ord(char) < 0x10000)
        if "\U0001f600" in text:
            escaped = "\\ud83d\\uDE00 home \\uDBFF\\udfff"
        for written in (text, escaped):
            data = json.dumps(fakes.values(wifi={"ssid": "SSID", "password": "PASSWORD"}))
            data = data.replace("SSID", written).replace("PASSWORD", written + written)
            wifi = DeviceInfo(fakes.write(fakes.folder() + "/device_info.json", data)).wifi
            assert wifi["ssid"].encode() == units, written
            assert wifi["password"].encode() == units + units, written


def test_half_a_surrogate_pair_is_refused():
    for half in ("\\ud83d", "\\ude00", "\\ud83dx", "\\ude00\\ud83d", "\\ud83d\\ud83d"):
        for key in ("ssid", "password"):
            wifi = {"ssid": "bench", "password": canaries.WIFI_PASSWORD}
            wifi[key] = "HALF"
            data = json.dumps(fakes.values(wifi=wifi)).replace("HALF", half)
            _wrong_file(data, (key, "half a character"))


def test_names_are_readable_in_sentences():
    _wrong(('the character "\u00e4"',), deviceName="ger\u00e4t")
    _wrong(('the character "\u8bbe"',), deviceName="\u8bbe\u5907")


def test_a_comma_before_a_bracket_inside_a_string_is_no_fault():
    for note in (",}", ",]", '",}', '\\",]', "\\", 'a\\\\",}', "{,", "\n,\n}"):
        assert _right(note=note).device_name == fakes.NAME, note
        assert _right(**{note: [note]}).device_name == fakes.NAME, note


def test_json_that_is_no_object():
    for data in ("[]", '"text"', "1", "null", "[{}]"):
        _wrong_file(data, ("no whole JSON object",))


def test_placeholders_left_in():
    _wrong(("productId", "placeholder", "fill it in"), productId="YOUR_PRODUCT_ID")
    _wrong(("deviceName", "placeholder", "fill it in"), deviceName="YOUR_DEVICE_NAME")
    _wrong(("region", "placeholder", "fill it in"), region="YOUR_REGION")
    wifi = {"ssid": "YOUR_WIFI_NAME", "password": canaries.WIFI_PASSWORD}
    _wrong(("ssid", "placeholder", "fill it in"), wifi=wifi)


def test_a_product_secret_not_filled_in_is_asked_for_only_to_register():
    for secret in ("YOUR_PRODUCT_SECRET", "", None):
        info = _right(productSecret=secret)
        assert info.product_secret is None, secret
        says = (info.path, "productSecret", "not filled in", "from the console")
        need = credentials.need_product_secret
        fakes.raises(ConfigError, need, info, code="config", says=says)
    credentials.need_product_secret(_right())


def test_the_wifi_password_placeholder_left_in():
    wifi = {"ssid": "bench", "password": "YOUR_WIFI_PASSWORD"}
    _wrong(("password", "placeholder", "fill it in"), wifi=wifi)


def test_a_wifi_password_that_is_no_text():
    _wrong(("password", "no text"), wifi={"ssid": "bench", "password": 12345678})


def test_an_open_wifi_needs_no_password():
    for wifi in ({"ssid": "open"}, {"ssid": "open", "password": None}):
        assert _right(wifi=wifi).wifi["ssid"] == "open"


def test_keys_missing_or_of_another_type():
    for key in ("productId", "deviceName"):
        for value in (None, "", 5, [], {}, True):
            _wrong((key, "missing or no text", "fill it in"), **{key: value})
    for value in (5, ["x"], {"x": 1}, True):
        _wrong(("productSecret", "no text", "fill it in"), productSecret=value)
    for key in ("key_deviceinfo", "wifi", "endpoint"):
        for value in ("text", [], 5):
            _wrong((key, "no object"), **{key: value})


def test_another_auth_mode():
    for mode in ("PSK", "key", "cert", "CERT ", "KEYCERT"):
        _wrong(("auth_mode", "unknown", 'write "KEY" or "CERT"'), auth_mode=mode)
    for mode in (5, "", [], True):
        _wrong(("auth_mode", "no text"), auth_mode=mode)


def test_the_section_of_the_other_mode_is_not_looked_at():
    for mode, key in (("KEY", "cert_deviceinfo"), ("CERT", "key_deviceinfo")):
        assert _right(auth_mode=mode, **{key: "text"}).mode == mode
    for value in ("text", [], 5):
        _wrong(("cert_deviceinfo", "no object"), auth_mode="CERT", cert_deviceinfo=value)


def test_where_the_certificates_files_are():
    for given, wanted in (
        ("dev.pem", "FOLDER/certs/dev.pem"),
        ("/flash/dev.pem", "/flash/dev.pem"),
        ("/dev.pem", "/dev.pem"),
        ("./dev.pem", "./dev.pem"),
        ("sub/dev.pem", "sub/dev.pem"),
        (None, None),
        ("", None),
        ("YOUR_DEVICE_CERT_FILE_NAME", None),
    ):
        for key, name, default in (
            ("devCertFile", "cert_file", "FOLDER/certs/device_cert.pem"),
            ("devPrivateKeyFile", "key_file", "FOLDER/certs/device_key.pem"),
        ):
            info = _right(auth_mode="CERT", cert_deviceinfo={key: given})
            folder = info.path.rsplit("/", 1)[0]
            path = (wanted or default).replace("FOLDER", folder)
            assert getattr(info, name) == path, (key, given, getattr(info, name))


def test_the_certificates_files_of_a_device_info_in_the_root():
    import os

    info = _right(auth_mode="CERT", cert_deviceinfo={"devCertFile": "dev.pem"})
    here = os.getcwd()
    fakes.at_end(lambda: os.chdir(here))
    os.chdir(info.path.rsplit("/", 1)[0])
    fakes.replace(device_file, "read", lambda path, read=device_file.read: read(info.path))
    root = DeviceInfo("/device_info.json")
    assert (root.cert_file, root.key_file) == ("/certs/dev.pem", "/certs/device_key.pem")
    bare = DeviceInfo("device_info.json")
    assert (bare.cert_file, bare.key_file) == ("certs/dev.pem", "certs/device_key.pem")


def test_certificate_file_names_that_are_no_text():
    for key in ("devCertFile", "devPrivateKeyFile"):
        for value in (5, ["x"], True):
            _wrong((key, "no text"), auth_mode="CERT", cert_deviceinfo={key: value})


def test_burning_is_asked_for_by_true_alone():
    assert _right(burnProductSecret=True).burn is True
    for value in (False, None, 0, "", "no"):
        assert _right(burnProductSecret=value).burn is False, value


def test_the_product_secrets_length():
    for size in (15, 33):
        secret = (canaries.PRODUCT_SECRET * 2)[:size]
        error = _wrong(("productSecret", f"{size} characters", "16 to 32"), productSecret=secret)
        assert secret not in str(error)
    for size in (16, 24, 32):
        secret = (canaries.PRODUCT_SECRET * 2)[:size]
        assert _right(productSecret=secret).product_secret == secret


def test_a_product_secret_with_what_cannot_be_in_one():
    for bad in (" ", "\n", "\t", "é"):
        secret = canaries.PRODUCT_SECRET[:-1] + bad
        error = _wrong(("productSecret", "from the console"), productSecret=secret)
        assert secret not in str(error)


def test_a_device_secret_that_is_no_base64():
    good = canaries.DEVICE_SECRET
    for secret in (
        "abcde",
        good[:-1],
        good[:-2],
        good + "=",
        good + "====",
        good[:4] + "=" + good[5:],
        " " + good,
        good + " ",
        good + "\n",
        good[:8] + " " + good[8:],
        good[:8] + "\r\n" + good[8:],
        good.replace("5", "-"),
        good.replace("5", "_"),
        good.replace("5", "\u00e9"),
        "Y2=uY=",
        '"' + good + '"',
        "Zm8=Zm8=",
        "!?.,;",
    ):
        says = ("deviceSecret", "no base64", "copy it anew")
        error = _wrong(says, key_deviceinfo={"deviceSecret": secret})
        assert secret not in str(error)
    for secret in (good, "a+/Z", "Zm8xAA==", "Zm9="):
        assert _secret(key_deviceinfo={"deviceSecret": secret}) == ("unchecked", secret)


def test_a_device_secret_that_is_no_text():
    _wrong(("deviceSecret", "no text"), key_deviceinfo={"deviceSecret": 5})


def test_device_names():
    for name in ("a", "A" * 48, "a-b_c:9"):
        assert _right(deviceName=name).device_name == name
    rule = ("deviceName", "1 to 48", "A-Z a-z 0-9 : _ -")
    _wrong(rule, deviceName="a" * 49)
    _wrong(("49 characters",), deviceName="a" * 49)
    for name in ("dev 01", "gerät", "dev/1", "dev\n", "dev+"):
        _wrong(rule, deviceName=name)


def test_product_ids():
    for product in ("ABC DEFGHI", "ABCDEFGHI/", "ÄBCDEFGHIJ", "A" * 49):
        _wrong(("productId", "1 to 48"), productId=product)


def test_mac_is_filled_in():
    chip = fakes.Namespace(unique_id=lambda: bytearray(b"\x24\x0a\xc4\x00\xff\x01"))
    fakes.module("machine", chip)
    assert _right(deviceName="esp32-{mac}").device_name == "esp32-240ac400ff01"
    assert _right(deviceName="{mac}:{mac}").device_name == "240ac400ff01:240ac400ff01"
    _wrong(("deviceName", "49 characters"), deviceName="a" * 37 + "{mac}")


def test_mac_on_a_board_without_one():
    fakes.module("machine", fakes.Namespace())
    _wrong(("deviceName", "{mac}", "write a name"), deviceName="esp32-{mac}")


def test_the_hosts_of_every_region():
    domain = "tencentdevices.com"
    for region, gateway, mqtt in (
        ("china", "ap-guangzhou.gateway", "ABCDEFGHIJ.iotcloud"),
        ("us-east", "us-east.gateway", "ABCDEFGHIJ.us-east.iotcloud"),
        ("europe", "europe.gateway", "ABCDEFGHIJ.europe.iothub"),
        ("ap-bangkok", "ap-bangkok.gateway", "ABCDEFGHIJ.ap-bangkok.iothub"),
    ):
        info = _right(region=region)
        assert str(info.gateway) == f"https://{gateway}.{domain}:443", region
        assert str(info.mqtt) == f"mqtts://{mqtt}.{domain}:8883", region
        assert info.gateway.secure and info.mqtt.secure
        assert (info.gateway.ca, info.mqtt.ca) == (None, None)


def test_an_unknown_region_is_never_china():
    for region in ("mars", "China", "us", "europe "):
        _wrong(("region", "unknown", "ap-bangkok, china, europe, us-east"), region=region)
    for region in (5, "", []):
        _wrong(("region", "no text"), region=region)


def test_endpoints_override_the_region_key_by_key():
    info = _right(endpoint={"gateway": "https://hub.local:8443", "gatewayCa": "/ca.der"})
    assert str(info.gateway) == "https://hub.local:8443"
    assert (info.gateway.ca, info.gateway.port) == ("/ca.der", 8443)
    assert str(info.mqtt) == "mqtts://ABCDEFGHIJ.iotcloud.tencentdevices.com:8883"
    info = _right(endpoint={"mqtt": "mqtt://hub.local", "mqttCa": "/ca.pem"}, region="europe")
    assert (str(info.mqtt), info.mqtt.ca) == ("mqtt://hub.local:1883", "/ca.pem")
    assert str(info.gateway) == "https://europe.gateway.tencentdevices.com:443"


def test_schemes_their_ports_and_whether_they_are_secure():
    for url, number, secure in (
        ("https://h", 443, True),
        ("https://h:443", 443, True),
        ("https://h:80", 80, True),
        ("http://h/", 80, False),
        ("http://h:8080/", 8080, False),
    ):
        gateway = _right(endpoint={"gateway": url}).gateway
        assert (gateway.host, gateway.port, gateway.secure) == ("h", number, secure), url
    for url, number, secure in (
        ("mqtts://h", 8883, True),
        ("mqtt://h", 1883, False),
        ("mqtts+psk://h", 8883, True),
    ):
        mqtt = _right(endpoint={"mqtt": url}).mqtt
        assert (mqtt.host, mqtt.port, mqtt.secure) == ("h", number, secure), url


def test_endpoints_without_a_scheme():
    remedies = {"gateway": "https://host or http://host", "mqtt": "mqtts://host or mqtt://host"}
    for key in remedies:
        for url in ("hub.local", "hub.local:8443", "//hub.local", "", 5, []):
            _wrong(("endpoint." + key, "no scheme", remedies[key]), endpoint={key: url})


def test_endpoints_with_a_wrong_scheme():
    for key, urls in (
        ("gateway", ("mqtts://h", "ftp://h", "HTTPS://h", "://h")),
        ("mqtt", ("https://h", "tls://h", "ws://h")),
    ):
        for url in urls:
            _wrong(("endpoint." + key, "no such URL", "://host:port"), endpoint={key: url})


def test_endpoints_without_a_host_or_with_a_path():
    for url in ("https://", "https:///", "https://h/device", "https://:8443"):
        _wrong(("endpoint.gateway", "https://host"), endpoint={"gateway": url})


def test_endpoints_with_a_bad_port():
    for number in ("0", "65536", "-1", "x", "80x", "1:2", "8443/path", "1e3"):
        url = "https://h:" + number
        says = ("endpoint.gateway", "no port between 1 and 65535")
        _wrong(says, endpoint={"gateway": url})
    assert _right(endpoint={"gateway": "https://h:65535"}).gateway.port == 65535


def test_hosts_as_the_vendors_other_sdks_write_them_are_refused():
    for key in ("dynregRegistHost", "otherMqttDomainHost"):
        for value in ("hub.local", "https://hub.local", 5, {"a": 1}):
            _wrong((key, "write endpoint.gateway or endpoint.mqtt"), **{key: value})
        for value in (None, "", "YOUR_HOST"):
            assert _right(**{key: value}).gateway.secure, value


def test_a_ca_that_is_no_text():
    _wrong(("gatewayCa", "no text"), endpoint={"gatewayCa": 5})
    assert _right(endpoint={"gatewayCa": None, "mqttCa": ""}).gateway.ca is None


def test_a_secret_in_the_wrong_place_is_not_printed():
    secret = canaries.PRODUCT_SECRET
    for key in ("deviceName", "productId", "region", "auth_mode"):
        error = fakes.raises(
            ConfigError, DeviceInfo, fakes.device_info(**{key: secret + "/ "}), code="config"
        )
        assert secret not in str(error), key
    for url in ("https://%s/x", "%s://x", "https://x:%s"):
        path = fakes.device_info(endpoint={"gateway": url % secret})
        assert secret not in str(fakes.raises(ConfigError, DeviceInfo, path, code="config"))


def test_a_spread_is_a_number_of_seconds():
    for value in (0, 1, 3600, None):
        assert DeviceInfo(fakes.device_info(spread=value)).spread == (value or 0)
    for value in (-1, 3601, 1.5, "60", [1]):
        path = fakes.device_info(spread=value)
        says = ("spread", "0 to 3600")
        fakes.raises(ConfigError, DeviceInfo, path, code="config", says=says)
