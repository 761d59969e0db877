"""The access point's time: the chosen network is tried, and kept where it has been joined."""

from micropython import const
from ubinascii import hexlify, unhexlify

from ... import log, port
from ...errors import StorageError
from . import http
from .page import page
from .radio import Radio
from .server import Server

_TRY_AGAIN_MS = const(60000)  # the network that was known, while nobody is there
_SHOWN_MS = const(3000)  # after the page has said that it is joined
_UNSEEN_MS = const(30000)  # where nobody asks how it went
_MOST_MS = const(3600000)
_FORM = const(b"application/x-www-form-urlencoded")
_HEADERS = const(
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'\r\n"
)


def run(path, settings):
    """Until a network is joined (True), or nobody has come in time (False)."""
    return Portal(Radio(), path, settings).run()


def passes(password):
    """Whether WPA2 takes these bytes for a password."""
    return 8 <= len(password) <= 63 and min(password) > 31 and 127 not in password


class Portal:
    """The page, and what it has come to. settings: as settings.load() gives them."""

    def __init__(self, radio, path, settings):
        self.radio = radio
        self.path = path
        self.settings = settings
        self.state = ""  # one of page.STATES
        self.chosen = b""  # the name that state is of
        self.token = hexlify(port.random_bytes(8)).decode()
        self.address = ""
        self._trial = None  # (name, password), whether they are to be stored
        self._began = self._until = self._seen = self._tried = port.ticks_ms()

    def run(self):
        """Until a network is joined (True), or nobody has come in time (False)."""
        settings = self.settings
        self.radio.scan()
        try:
            self.address = self.radio.open(settings["name"], settings["password"])
            self._began = self._seen = self._tried = port.ticks_ms()
            server = Server(self.address, self.answer)
            log.info("setup: access point %r, http://%s/" % (settings["name"], self.address))
            try:
                while not self._over():
                    server.step()
                    self._join()
            finally:
                server.close()
        finally:
            self.radio.close()
        return self.state == "joined"

    def _over(self):
        now = port.ticks_ms()
        if self.state == "joined":
            return port.ticks_diff(now, self._until) >= 0
        if self.state != "joining" and (
            port.ticks_diff(now, self._seen) >= self.settings["open"] * 1000
            or port.ticks_diff(now, self._began) >= _MOST_MS
        ):
            log.warning("setup: nobody has given a Wi-Fi")
            return True
        return False

    def _join(self):
        """What has become of the try; and the known network once more, while nobody is there."""
        now = port.ticks_ms()
        told = self.radio.step()
        if told:
            (name, password), store = self._trial  # pyright: ignore
            self._trial, self._tried = None, now
            log.info("setup: %r: %s" % (name, told))
            if store and told == "joined":
                changes = {"ssid": name, "password": password}
                try:
                    port.step("services.setup.keep", "keep", self.path, "wifi", changes)
                except StorageError as error:
                    log.error("setup: %s" % error)
                    self.radio.stop()
                    told = "flash"
            if store or told == "joined":
                self.state = told
            self._until = port.ticks_add(port.ticks_ms(), _UNSEEN_MS if store else 0)
        wifi = self.settings["wifi"]
        if (
            wifi
            and not (self._trial or self.state == "joined")
            and min(port.ticks_diff(now, self._seen), port.ticks_diff(now, self._tried))
            >= _TRY_AGAIN_MS
        ):
            self._begin(wifi["ssid"], wifi.get("password"), False)

    def _begin(self, name, password, store):
        self._trial = (name, password), store
        self.radio.begin(name, password)

    def answer(self, method, host, path, fields, body):
        """The reply to a request, in pieces of bytes. http.Refused."""
        name, _, number = host.partition(b":")
        if name != self.address.encode():  # a telephone that asks the Internet; a rebound name
            number = ":%d" % int(number) if number.isdigit() and len(number) < 6 else ""
            return http.reply(302, more="Location: http://%s%s/\r\n" % (self.address, number))
        if path != b"/":
            raise http.Refused(404)
        if method == b"POST":
            if fields.get(b"content-type", b"").partition(b";")[0].strip().lower() != _FORM:
                raise http.Refused(415)
            values = http.form(body)
            if values.get(b"t") != self.token.encode():
                raise http.Refused(403)
            self._seen = port.ticks_ms()
            if self.state not in ("joining", "joined"):
                self._take(values)
            return http.reply(303, more="Location: /\r\n")
        if method not in (b"GET", b"HEAD"):
            raise http.Refused(405)
        self._seen = port.ticks_ms()
        if self.state == "joined":
            self._until = port.ticks_add(self._seen, _SHOWN_MS)
        chinese = fields.get(b"accept-language", b"")[:2].lower() == b"zh"
        device = self.settings["name"].encode()
        text = page(chinese, device, self.radio.networks, self.state, self.chosen, self.token)
        return http.reply(200, text, _HEADERS, method == b"HEAD")

    def _take(self, values):
        """What a person has sent by the page."""
        if b"a" in values:
            self.radio.stop()  # the known network's try, if there is one
            self._trial = None
            self.state = ""
            self.radio.scan()
            return
        password = values.get(b"p", b"")
        try:
            self.state = "name"
            name = unhexlify(values.get(b"n", b"")) or values.get(b"o", b"")
            text = name.decode()
            is_open = not password
            can = 0 < len(name) <= 32
            for known in self.radio.networks:
                if known[0] == name:
                    is_open, can = known[2:]
            if not can:
                raise ValueError
            self.chosen = name
            self.state = "length"
            if is_open:
                password = b""
            elif not passes(password):
                raise ValueError
            password = password.decode()
        except ValueError:  # UnicodeError is one
            return
        self.state = "joining"
        self._begin(text, password, True)
