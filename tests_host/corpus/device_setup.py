"""services/setup: when the access point opens, what its page does, and what is stored of it."""

import json

import canaries
import fakes
from dynreg import port
from dynreg.errors import NetworkError, StorageError
from dynreg.services import setup
from dynreg.services.setup import http
from dynreg.services.setup import page as pages

ADDRESS = "192.168.4.1"
FORM = {b"content-type": b"application/x-www-form-urlencoded; charset=UTF-8"}


class _Station:
    """network.WLAN(STA_IF): lets in whoever gives `right`; status says why it does not."""

    def __init__(self, clock, found):
        self.clock = clock
        self.found = found
        self.right = ("home", canaries.WIFI_PASSWORD)
        self.reason = 1001
        self.let_in = False
        self.calls = []
        self._asked = None

    def active(self, on):
        self.calls.append("active")

    def scan(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def disconnect(self):
        self.calls.append("disconnect")
        self._asked = None

    def connect(self, name, password):
        self.calls.append("connect")
        self._asked = (name, password), self.clock.passed

    def isconnected(self):
        return bool(self._asked and self._asked[0] == self.right) and (
            self.clock.passed >= self._asked[1] + 2000
        )

    def status(self, what=None):
        if what and not self.let_in:
            raise OSError("Wifi Not Connected")
        return -60 if what else self.reason

    def ifconfig(self):
        return ("192.0.2.7",) * 4


class _Point:
    """network.WLAN(AP_IF): takes settings once it is on, as ESP-IDF does."""

    def __init__(self):
        self.on = False
        self.settings = {"security": 0}

    def active(self, on):
        self.on = on

    def config(self, *names, **settings):
        if not self.on:
            raise OSError("Wifi Mode Error")
        self.settings.update(settings)
        return self.settings[names[0]] if names else None

    def ifconfig(self):
        return (ADDRESS,) * 4


def page(*what):
    return b"".join(pages.page(*what))


HOME = (b"home", b"", 6, -50, 3, False)


def _portal(found=(HOME,), **changes):
    """A Portal that is open, with no socket: what its server would hand on is called."""
    clock = fakes.Clock()
    station, point = _Station(clock, found), _Point()
    fakes.module(
        "network",
        fakes.Namespace(STA_IF=0, AP_IF=1, WLAN=lambda which: point if which else station),
    )
    from dynreg.services.setup import portal, settings
    from dynreg.services.setup.radio import Radio

    changes.setdefault("setup", {"password": "label-word"})
    changes.setdefault("wifi", None)
    path = fakes.device_info(**changes)
    one = portal.Portal(Radio(), path, settings.load(path))
    one.radio.scan()
    one.address = one.radio.open(one.settings["name"], one.settings["password"])
    one.clock, one.station, one.point = clock, station, point
    return one


def _get(one, language=b"en", host=b"192.168.4.1", path=b"/"):
    return b"".join(one.answer(b"GET", host, path, {b"accept-language": language}, b""))


def _post(one, body, token=None):
    body = b"t=" + (one.token.encode() if token is None else token) + b"&" + body
    return b"".join(one.answer(b"POST", b"192.168.4.1", b"/", FORM, body))


def _after(one, ms):
    """The page once so much has passed, by steps as the server makes them."""
    end = one.clock.passed + ms
    while one.clock.passed < end and not one._over():
        one.clock.sleep_ms(200)
        one._join()
    return _get(one)


HEX_HOME = b"n=686f6d65&o=&p="
GIVEN = HEX_HOME + canaries.WIFI_PASSWORD.replace(" ", "+").encode()


def test_the_access_point_is_wpa2_with_the_labels_password():
    one = _portal()
    wanted = {"ssid": fakes.NAME, "key": "label-word", "security": 3, "channel": 6}
    assert {name: one.point.settings[name] for name in wanted} == wanted


def test_no_access_point_rather_than_an_open_one():
    one = _portal()
    one.point.config = lambda *names, **settings: 0
    says = "the access point does not start"
    fakes.raises(
        NetworkError, one.radio.open, "name", "label-word", code="network.wifi", says=says
    )
    assert one.point.on is False


def test_a_network_is_chosen_joined_and_stored():
    one = _portal()
    assert _post(one, GIVEN)[:22] == b"HTTP/1.1 303 See Other"
    said = _get(one)
    assert b'http-equiv="refresh"' in said
    assert b"Joining <bdi>home</bdi>" in said
    assert b"<form" not in said
    said = _after(one, 2200)
    assert b"<bdi>home</bdi> is joined and stored" in said
    values = json.loads(fakes.read(one.path))
    assert values["wifi"] == {"ssid": "home", "password": canaries.WIFI_PASSWORD}
    _after(one, 2800)
    assert not one._over(), "its end is told for three seconds"
    one.clock.sleep_ms(3000)
    assert one._over()


def test_the_end_comes_unseen_as_well():
    one = _portal()
    _post(one, GIVEN)
    one.clock.sleep_ms(2000)
    one._join()
    one.clock.sleep_ms(29900)
    assert not one._over()
    one.clock.sleep_ms(100)
    assert one._over()


def test_a_network_that_does_not_let_in_is_told_and_nothing_stored():
    for reason, let_in, after, says in (
        (1001, False, 20000, b"Is the password right?"),
        (202, False, 20000, b"Is the password right?"),
        (201, False, 20000, b"is not in reach"),
        (1001, True, 40000, b"gives no address"),
    ):
        one = _portal()
        before = fakes.read(one.path)
        one.station.reason, one.station.let_in = reason, let_in
        _post(one, HEX_HOME + b"not+the+password")
        assert b"Joining" in _after(one, after - 200)
        said = _after(one, 200)
        assert says in said, says
        assert b"not the password" not in said
        assert b'value="686f6d65" checked' in said
        assert fakes.read(one.path) == before
        assert one.station.calls[-1] == "disconnect", "an ESP32 would try for ever"
        _post(one, GIVEN)
        one.station.let_in = False
        assert b"joined and stored" in _after(one, 2200)
        fakes.restore()


def test_a_flash_that_does_not_take_it_is_told():
    one = _portal()
    from dynreg.services.setup import keep

    def full(*what):
        raise StorageError("storage", "no room")

    fakes.replace(keep, "keep", full)
    _post(one, GIVEN)
    assert b"cannot store <bdi>home</bdi>" in _after(one, 2200)
    assert not one._over()


def test_what_is_asked_for_wrongly_is_told_before_it_is_tried():
    found = (HOME, (b"cafe", b"", 1, -60, 0, False), (b"firm", b"", 1, -70, 5, False))
    for body, says in (
        (b"p=12345678", b"Choose a network"),
        (b"n=&o=&p=12345678", b"Choose a network"),
        (b"n=zz&p=12345678", b"Choose a network"),
        (b"n=&o=%ff&p=12345678", b"Choose a network"),
        (b"n=&p=12345678&o=" + b"x" * 33, b"Choose a network"),
        (b"n=6669726d&p=12345678", b"Choose a network"),
        (HEX_HOME, b"8 to 63 characters"),
        (HEX_HOME + b"1234567", b"8 to 63 characters"),
        (HEX_HOME + b"x" * 64, b"8 to 63 characters"),
        (HEX_HOME + b"12345678%0a", b"8 to 63 characters"),
        (HEX_HOME + b"12345678%ff", b"8 to 63 characters"),
    ):
        one = _portal(found)
        _post(one, body)
        assert says in _get(one), body
        assert "connect" not in one.station.calls, body
        fakes.restore()


def test_an_open_network_and_one_by_its_name():
    found = (HOME, (b"cafe", b"", 1, -60, 0, False))
    for body, right in (
        (b"n=63616665&p=whatever+is+there", ("cafe", "")),
        (b"n=&o=hidden&p=12345678", ("hidden", "12345678")),
        (b"n=&o=hidden+open&p=", ("hidden open", "")),
        (b"n=&o=%E5%AE%B6&p=%E5%AF%86%E7%A0%81%E5%AF%86", ("\u5bb6", "\u5bc6\u7801\u5bc6")),
    ):
        one = _portal(found)
        one.station.right = right
        _post(one, body)
        assert b"joined and stored" in _after(one, 2200), body
        assert json.loads(fakes.read(one.path))["wifi"]["ssid"] == right[0]
        fakes.restore()


def test_the_networks_that_are_shown():
    found = [
        (b"weak", b"", 1, -90, 3, False),
        (b"strong", b"", 11, -40, 4, False),
        (b"weak", b"", 1, -95, 3, False),
        (b"", b"", 1, -30, 3, False),
        (b"\xbc\xd2\xc0\xef", b"", 13, -35, 3, False),
        (b"firm", b"", 1, -50, 5, False),
    ] + [(b"%d" % number, b"", 1, -92, 3, False) for number in range(40)]
    one = _portal(found)
    names = [network[0] for network in one.radio.networks]
    assert names[:4] == [b"\xbc\xd2\xc0\xef", b"strong", b"firm", b"weak"]
    assert len(names) == 20
    assert one.point.settings["channel"] == 11, "of the strongest that can be joined"
    said = _get(one)
    assert said.count(b" disabled>") == 2
    assert b"\\xbc\\xd2\\xc0\\xef</bdi>cannot be joined" in said


def test_a_search_that_fails_leaves_the_page():
    one = _portal(OSError("Wifi Internal State Error"))
    assert one.radio.networks == []
    one.station.found = [HOME]
    _post(one, b"a=1&o=x")
    assert b"<bdi>home</bdi>" in _get(one)


def test_no_name_gets_out_of_its_place():
    names = (b"</bdi><script>", b"\"'&<>", b"a\0b\x1b[31m", b"\xf0\x9f\x98\x80" * 8, b"&amp;")
    for name in names:
        networks = [(name, -50, False, True)]
        text = page(False, name, networks, "password", name, "1234").decode()
        assert "<script" not in text
        assert "\x1b" not in text
        assert text.count("<bdi>") == text.count("</bdi>") == 2, text
        typed = page(False, b"", [], "password", name, "1234").decode()
        assert typed.count('"') % 2 == 0, typed
    text = page(False, b"", [(names[1], -50, False, True)], "", b"", "1234")
    assert b"<bdi>&quot;&#39;&amp;&lt;&gt;</bdi>" in text


def test_the_telephones_language():
    one = _portal()
    for language, word in (
        (b"zh-CN,zh;q=0.9,en;q=0.8", b'lang="zh-CN"'),
        (b"ZH-hant-TW", b'lang="zh-CN"'),
        (b"en-US,zh;q=0.5", b'lang="en"'),
        (b"de", b'lang="en"'),
        (b"", b'lang="en"'),
    ):
        assert word in _get(one, language), language


def test_every_state_has_its_words_in_both_languages():
    from dynreg.services.setup.texts import TEXTS

    assert len(TEXTS[0]) == len(TEXTS[1])
    for state in pages.STATES:
        for chinese in (False, True):
            text = page(chinese, b"dev", [(b"x", -50, True, True)], state, b"home", "12").decode()
            assert ("role" in text) == bool(state)
            assert "%" not in text.replace("100%", "")
            texts = [line.count("%s") for line in TEXTS[chinese]]
            assert texts == [line.count("%s") for line in TEXTS[0]]


def test_another_host_is_sent_to_the_page():
    one = _portal()
    for host, path, where in (
        (b"connectivitycheck.gstatic.com", b"/generate_204", b"http://192.168.4.1/"),
        (b"captive.apple.com", b"/hotspot-detect.html", b"http://192.168.4.1/"),
        (b"www.msftconnecttest.com", b"/connecttest.txt", b"http://192.168.4.1/"),
        (b"detectportal.firefox.com:80", b"/canonical.html", b"http://192.168.4.1:80/"),
        (b"192.168.4.1.evil.test", b"/", b"http://192.168.4.1/"),
        (b"evil.test:123456", b"/", b"http://192.168.4.1/"),
        (b"", b"/", b"http://192.168.4.1/"),
    ):
        said = _get(one, host=host, path=path)
        assert said[:18] == b"HTTP/1.1 302 Found"
        assert b"Location: " + where + b"\r\n" in said
        assert b"<form" not in said


def _status(one, method, path, fields, body):
    try:
        return one.answer(method, b"192.168.4.1", path, fields, body)[0][9:12]
    except http.Refused as refused:
        return b"%d" % refused.status


def test_only_the_page_may_give_a_network():
    one = _portal()
    good = b"t=" + one.token.encode() + b"&" + GIVEN
    for status, method, path, fields, body in (
        (b"403", b"POST", b"/", FORM, GIVEN),
        (b"403", b"POST", b"/", FORM, b"t=&" + GIVEN),
        (b"403", b"POST", b"/", FORM, b"t=0000000000000000&" + GIVEN),
        (b"415", b"POST", b"/", {b"content-type": b"text/plain"}, good),
        (b"415", b"POST", b"/", {}, good),
        (b"400", b"POST", b"/", FORM, good + b"%"),
        (b"404", b"POST", b"/x", FORM, good),
        (b"404", b"GET", b"/favicon.ico", {}, b""),
        (b"405", b"PUT", b"/", FORM, good),
        (b"405", b"OPTIONS", b"/", FORM, good),
        (b"200", b"HEAD", b"/", {}, b""),
    ):
        assert _status(one, method, path, fields, body) == status, (method, path, body)
        assert one.state == ""
    assert one.answer(b"POST", b"evil.test", b"/", FORM, good)[0][9:12] == b"302"
    assert one.state == ""


def test_a_second_choice_while_one_is_tried_changes_nothing():
    one = _portal()
    _post(one, GIVEN)
    _post(one, b"n=&o=other&p=12345678")
    assert b"Joining <bdi>home</bdi>" in _get(one)
    assert one.station.calls.count("connect") == 1


def test_it_ends_where_nobody_comes():
    one = _portal(setup={"password": "label-word", "open": 60})
    one.clock.sleep_ms(50000)
    _get(one)
    one.clock.sleep_ms(59000)
    assert not one._over()
    one.clock.sleep_ms(1000)
    assert one._over()


def test_it_ends_after_an_hour_whoever_looks():
    one = _portal()
    for _ in range(60):
        assert not one._over()
        one.clock.sleep_ms(60000)
        _get(one)
    assert one._over()


def test_the_known_network_is_tried_while_nobody_is_there():
    known = {"ssid": "home", "password": canaries.WIFI_PASSWORD}
    one = _portal(wifi=known)
    before = fakes.read(one.path)
    one.station.right = None
    for _ in range(350):
        one.clock.sleep_ms(200)
        one._join()
    assert one.station.calls.count("connect") == 1
    assert b"role" not in _get(one), "that it failed is no news for who is there now"
    one.station.right = ("home", canaries.WIFI_PASSWORD)
    for _ in range(900):
        one.clock.sleep_ms(200)
        one._join()
    assert one._over()
    assert one.state == "joined"
    assert fakes.read(one.path) == before


def _wifi(**changes):
    return setup.wifi(fakes.device_info(**changes))


def test_a_board_that_has_a_network_opens_nothing():
    fakes.module("network", None)
    assert _wifi(setup={"password": "label-word"}) is True


def test_a_platform_without_wifi():
    fakes.module("network", None)
    assert _wifi(setup={"password": "label-word"}, wifi=None) is False


def test_the_idle_function_is_dynregs():
    calls = []
    fakes.replace(port, "idle", port.idle)
    setup.wifi(fakes.device_info(setup={"password": "label-word"}), lambda: calls.append(1))
    port.idle()
    assert calls == [1]
