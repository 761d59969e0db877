"""device_info.json: what is read from it, and each mistake named with file, key and remedy."""

import json

import canaries
import fakes
from configs import right, wrong, wrong_file
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError
from dynreg.storage import credentials, device_file


def test_a_good_file():
    info = right()
    assert info.product_id == fakes.PRODUCT
    assert info.product_secret == canaries.PRODUCT_SECRET
    assert info.device_name == fakes.NAME
    assert info.client_id == fakes.PRODUCT + fakes.NAME
    assert (info.mode, info.section) == ("KEY", "key_deviceinfo")
    assert info.credential is None, "credentials.load() finds it"
    assert info.burn is False
    assert info.wifi == {"ssid": "bench", "password": canaries.WIFI_PASSWORD}


def test_a_good_file_in_certificate_mode():
    info = right(auth_mode="CERT", cert_deviceinfo={"devCertFile": "a.pem"}, key_deviceinfo=None)
    assert (info.mode, info.section) == ("CERT", "cert_deviceinfo")
    assert info.credential is None


def _secret(**changes):
    """(state, secret) of the copy in a file with these changes."""
    return credentials.in_file(right(**changes))


def test_a_secret_that_is_filled_in():
    section = {"deviceSecret": canaries.DEVICE_SECRET}
    assert _secret(key_deviceinfo=section) == ("unchecked", canaries.DEVICE_SECRET)


def test_what_may_be_left_out():
    info = right(auth_mode=None, key_deviceinfo=None, region=None, wifi=None)
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
        wrong_file(whole[:size], ("no whole JSON object", "copy it anew"))


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
        wrong_file(data, ("no whole JSON object", "copy it anew"))


def test_a_byte_order_mark():
    text = "\ufeff" + json.dumps(fakes.values())
    wrong_file(text, ("byte order mark", "UTF-8 without"))
    wrong_file("\ufeff", ("byte order mark",))


def test_utf_16():
    text = "".join(char + "\0" for char in json.dumps(fakes.values()))
    for data in (b"\xff\xfe" + text.encode(), text.encode(), b"\xfe\xff\0" + text.encode()[:-1]):
        wrong_file(data, ("is saved as UTF-16", "save it as UTF-8"))
    wrong_file(b"\0" + text.encode()[:-1], ("is saved as UTF-16", "save it as UTF-8"))


def test_gbk_and_latin_1():
    whole = json.dumps(fakes.values(note="NOTE")).encode()
    for name, note in (
        ("Latin-1", b"ol\xe9"),
        ("Latin-1", b"\xfcber \xe9t\xe9"),
        ("GBK", b"\xb2\xe2\xca\xd4"),
        ("GBK", b"\xbc\xd2 wifi \xb0\xec\xb9\xab\xca\xd2"),
    ):
        says = ("is saved as " + name, "save it as UTF-8")
        wrong_file(whole.replace(b"NOTE", note), says)


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
        wrong_file(text, (says, "take it out"))


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
        wrong_file(good.replace(old, new), (says,))


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
            wrong_file(data, (key, "half a character"))


def test_names_are_readable_in_sentences():
    wrong(('the character "\u00e4"',), deviceName="ger\u00e4t")
    wrong(('the character "\u8bbe"',), deviceName="\u8bbe\u5907")


def test_a_comma_before_a_bracket_inside_a_string_is_no_fault():
    for note in (",}", ",]", '",}', '\\",]', "\\", 'a\\\\",}', "{,", "\n,\n}"):
        assert right(note=note).device_name == fakes.NAME, note
        assert right(**{note: [note]}).device_name == fakes.NAME, note


def test_json_that_is_no_object():
    for data in ("[]", '"text"', "1", "null", "[{}]"):
        wrong_file(data, ("no whole JSON object",))


def test_placeholders_left_in():
    wrong(("productId", "placeholder", "fill it in"), productId="YOUR_PRODUCT_ID")
    wrong(("deviceName", "placeholder", "fill it in"), deviceName="YOUR_DEVICE_NAME")
    wrong(("region", "placeholder", "fill it in"), region="YOUR_REGION")
    wifi = {"ssid": "YOUR_WIFI_NAME", "password": canaries.WIFI_PASSWORD}
    wrong(("ssid", "placeholder", "fill it in"), wifi=wifi)


def test_a_product_secret_not_filled_in_is_asked_for_only_to_register():
    for secret in ("YOUR_PRODUCT_SECRET", "", None):
        info = right(productSecret=secret)
        assert info.product_secret is None, secret
        says = (info.path, "productSecret", "not filled in", "from the console")
        need = credentials.need_product_secret
        fakes.raises(ConfigError, need, info, code="config", says=says)
    credentials.need_product_secret(right())


def test_the_wifi_password_placeholder_left_in():
    wifi = {"ssid": "bench", "password": "YOUR_WIFI_PASSWORD"}
    wrong(("password", "placeholder", "fill it in"), wifi=wifi)


def test_a_wifi_password_that_is_no_text():
    wrong(("password", "no text"), wifi={"ssid": "bench", "password": 12345678})


def test_an_open_wifi_needs_no_password():
    for wifi in ({"ssid": "open"}, {"ssid": "open", "password": None}):
        assert right(wifi=wifi).wifi["ssid"] == "open"


def test_keys_missing_or_of_another_type():
    for key in ("productId", "deviceName"):
        for value in (None, "", 5, [], {}, True):
            wrong((key, "missing or no text", "fill it in"), **{key: value})
    for value in (5, ["x"], {"x": 1}, True):
        wrong(("productSecret", "no text", "fill it in"), productSecret=value)
    for key in ("key_deviceinfo", "wifi", "endpoint"):
        for value in ("text", [], 5):
            wrong((key, "no object"), **{key: value})


def test_another_auth_mode():
    for mode in ("PSK", "key", "cert", "CERT ", "KEYCERT"):
        wrong(("auth_mode", "unknown", 'write "KEY" or "CERT"'), auth_mode=mode)
    for mode in (5, "", [], True):
        wrong(("auth_mode", "no text"), auth_mode=mode)


def test_the_section_of_the_other_mode_is_not_looked_at():
    for mode, key in (("KEY", "cert_deviceinfo"), ("CERT", "key_deviceinfo")):
        assert right(auth_mode=mode, **{key: "text"}).mode == mode
    for value in ("text", [], 5):
        wrong(("cert_deviceinfo", "no object"), auth_mode="CERT", cert_deviceinfo=value)


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
            info = right(auth_mode="CERT", cert_deviceinfo={key: given})
            folder = info.path.rsplit("/", 1)[0]
            path = (wanted or default).replace("FOLDER", folder)
            assert getattr(info, name) == path, (key, given, getattr(info, name))


def test_the_certificates_files_of_a_device_info_in_the_root():
    import os

    info = right(auth_mode="CERT", cert_deviceinfo={"devCertFile": "dev.pem"})
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
            wrong((key, "no text"), auth_mode="CERT", cert_deviceinfo={key: value})


def test_burning_is_asked_for_by_true_alone():
    assert right(burnProductSecret=True).burn is True
    for value in (False, None, 0, "", "no"):
        assert right(burnProductSecret=value).burn is False, value


def test_the_product_secrets_length():
    for size in (15, 33):
        secret = (canaries.PRODUCT_SECRET * 2)[:size]
        error = wrong(("productSecret", f"{size} characters", "16 to 32"), productSecret=secret)
        assert secret not in str(error)
    for size in (16, 24, 32):
        secret = (canaries.PRODUCT_SECRET * 2)[:size]
        assert right(productSecret=secret).product_secret == secret


def test_a_product_secret_with_what_cannot_be_in_one():
    for bad in (" ", "\n", "\t", "é"):
        secret = canaries.PRODUCT_SECRET[:-1] + bad
        error = wrong(("productSecret", "from the console"), productSecret=secret)
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
        error = wrong(says, key_deviceinfo={"deviceSecret": secret})
        assert secret not in str(error)
    for secret in (good, "a+/Z", "Zm8xAA==", "Zm9="):
        assert _secret(key_deviceinfo={"deviceSecret": secret}) == ("unchecked", secret)


def test_a_device_secret_that_is_no_text():
    wrong(("deviceSecret", "no text"), key_deviceinfo={"deviceSecret": 5})


def test_device_names():
    for name in ("a", "A" * 48, "a-b_c:9"):
        assert right(deviceName=name).device_name == name
    rule = ("deviceName", "1 to 48", "A-Z a-z 0-9 : _ -")
    wrong(rule, deviceName="a" * 49)
    wrong(("49 characters",), deviceName="a" * 49)
    for name in ("dev 01", "gerät", "dev/1", "dev\n", "dev+"):
        wrong(rule, deviceName=name)


def test_product_ids():
    for product in ("ABC DEFGHI", "ABCDEFGHI/", "ÄBCDEFGHIJ", "A" * 49):
        wrong(("productId", "1 to 48"), productId=product)


def test_mac_is_filled_in():
    chip = fakes.Namespace(unique_id=lambda: bytearray(b"\x24\x0a\xc4\x00\xff\x01"))
    fakes.module("machine", chip)
    assert right(deviceName="esp32-{mac}").device_name == "esp32-240ac400ff01"
    assert right(deviceName="{mac}:{mac}").device_name == "240ac400ff01:240ac400ff01"
    wrong(("deviceName", "49 characters"), deviceName="a" * 37 + "{mac}")


def test_mac_on_a_board_without_one():
    fakes.module("machine", fakes.Namespace())
    wrong(("deviceName", "{mac}", "write a name"), deviceName="esp32-{mac}")


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
