"""The promise, a row a fault: what the program sees, how often the hub is asked, how long at most.

A step runs under the fault; then the fault is cleared and the same board, without a reset, does
the whole flow (conftest.Rig.check_recovered).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """fault: as for `./dev hub --fault`; several with a space between.

    step: of probe.py. code: of the error that comes out, None where the step works all the same.
    attempts: exactly how often the fault is triggered, None where chance has a part in it.
    within: seconds of the board's clock. retry: what the error says. lost: code of what poll()
    heals by itself. later: it is tried again after 15 to 60 minutes, not soon. fast: how many
    times as fast the board's clock runs.
    """

    fault: str
    step: str
    code: str | None
    attempts: int | None
    within: float
    retry: bool | None = None
    lost: str | None = None
    later: bool = False
    by_name: bool = False
    plain: bool = False
    fast: float = 1
    hub: dict = field(default_factory=dict)

    @property
    def when(self) -> str:
        """When it is tried again: "soon", "later", "never"; empty where the step works."""
        if self.code is None and self.lost is None:
            return ""
        if self.later:
            return "later"
        again = self.lost or self.retry or (self.retry is None and (self.attempts or 0) >= 2)
        return "soon" if again else "never"


_LATER = 3600 + 10  # seconds


def _register(fault, code, attempts, within, step="register", **more):
    # A wait of 30 s may be many short ones, each of which really waits a moment.
    fast = 20 if code == "network.timeout" else 1
    return Row(fault, step, code, attempts, within, **{"fast": fast, **more})


def _login(fault, code, attempts, within, **more):
    return _register(fault, code, attempts, within, "login", **more)


def _later(fault, code, attempts=2, within=_LATER, step="register", **more):
    """Two tries, a quarter of an hour to an hour between them."""
    return Row(fault, step, code, attempts, within, later=True, **more)


def _works(fault, step, within=5, attempts=1, **more):
    return Row(fault, step, None, attempts, within, **more)


def _poll(fault, lost, attempts=1, within=60, step="poll", **more):
    return Row(fault, step, None, attempts, within, lost=lost, fast=50, **more)


_TWICE_30 = 30 + 5 + 30 + 5  # two registrations that run into their deadline, a back-off between
_TWICE_10 = 10 + 5 + 10 + 5  # two logins
_TWICE = 5 + 2  # two quick failures
_WAYS = 2  # of a login: TLS-PSK, and where that is turned down at once, the certificate
_NO_DNS = 7 + 5 + 7 + 10
_BY_NAME = {"by_name": True}

DNS = (
    _register("dns-silent", "network.dns", 8, _NO_DNS, retry=True, fast=20, **_BY_NAME),
    _register("dns-nxdomain", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-servfail", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-refused", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-empty", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-ipv6", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-garbage", "network.dns", 8, _NO_DNS, retry=True, fast=20, **_BY_NAME),
    _register("dns-cut", "network.dns", 8, _NO_DNS, retry=True, fast=20, **_BY_NAME),
    _register("dns-truncated", "network.dns", 2, _TWICE, **_BY_NAME),
    _register("dns-wrong-id", "network.dns", 8, _NO_DNS, retry=True, fast=20, **_BY_NAME),
    _register("dns-nobody", "network.connect", 2, _TWICE, **_BY_NAME),
    _later("dns-portal", "certificate", **_BY_NAME),
    _later("dns-portal", "protocol.redirect", plain=True, **_BY_NAME),
    _login("dns-nxdomain", "network.dns", 2, _TWICE, **_BY_NAME),
    _later("dns-portal", "certificate", 2 * _WAYS, step="login", **_BY_NAME),
    _works("dns-alias*2", "register", attempts=2, **_BY_NAME),
    _works("dns-garbage*2", "register", attempts=2, **_BY_NAME),
    _works("dns-late:0.15*1", "register", within=15, fast=20, **_BY_NAME),
    _poll("tcp-restart@broker:0.01 dns-nxdomain*2", "network.closed", **_BY_NAME),
)

TCP = tuple(
    row
    for make, service, twice, ways in (
        (_register, "gateway", _TWICE_30, 1),
        (_login, "broker", _TWICE_10, _WAYS),
    )
    for row in (
        make(f"tcp-refuse@{service}", "network.connect", 1, _TWICE, retry=True),
        make(f"tcp-ignore@{service}:600", "network.timeout", 1, twice, retry=True),
        _works(f"tcp-ignore@{service}:0.3", make("", "", 0, 0).step, retry=True),
        make(f"tcp-reset@{service}:0", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-reset@{service}:500", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-reset-in@{service}:1", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-reset-in@{service}:400", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-close@{service}:0", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-close@{service}:500", "network.closed", 2 * ways, _TWICE),
        make(f"tcp-silent@{service}:0", "network.timeout", 2, twice),  # no reason to leave PSK
        make(f"tcp-silent@{service}:500", "network.timeout", 2 * ways, twice),
        # A byte in 10 s of the board's clock: too slow for TLS-PSK to be turned down.
        make(f"tcp-drip@{service}:0.2", "network.timeout", 2, twice + 60, fast=50),
        make(f"tcp-late@{service}:1", "network.timeout", 2 * ways, twice + 10, fast=50),
        make(f"tcp-flip@{service}:700", "network.tls", 2 * ways, _TWICE),
        _works(f"tcp-pieces@{service}", make("", "", 0, 0).step, attempts=ways),
        _works(f"tcp-nagle@{service}", make("", "", 0, 0).step, attempts=ways),
        _works(f"tcp-nodelay@{service}", make("", "", 0, 0).step, attempts=ways),
    )
)

TLS = tuple(
    row
    for make, service, ways in ((_register, "gateway", 1), (_login, "broker", _WAYS))
    for row in (
        make(f"tls-unknown-ca@{service}", "certificate", 2 * ways, _LATER, later=True),
        make(f"tls-expired@{service}", "certificate.date", 2 * ways, _LATER, later=True),
        make(f"tls-not-yet@{service}", "certificate.date", 2 * ways, _LATER, later=True),
        make(f"tls-wrong-name@{service}", "certificate", 2 * ways, _LATER, later=True),
        make(f"tls-self-signed@{service}", "certificate", 2 * ways, _LATER, later=True),
        make(f"tls-version@{service}:1.1", "network.tls", 2 * ways, _TWICE),
        make(f"tls-version@{service}:1.3", "network.tls", 2 * ways, _TWICE),
        make(f"tls-client-certificate@{service}", "network.tls", 2 * ways, _TWICE),
        make(f"tls-alert@{service}:40", "network.tls", 2 * ways, _TWICE),
        make(f"tls-alert@{service}:80", "network.tls", 2 * ways, _TWICE),
        make(f"tls-plain@{service}", "network.tls", 2 * ways, _TWICE),
        make(f"tls-garbage@{service}", "network.tls", 2 * ways, _TWICE),
    )
)

_PSK = {"hub": {"psk": True}}
PSK = (
    _works("psk-off", "login", attempts=_WAYS, **_PSK),
    _works("psk-refused", "login", **_PSK),
    _works("psk-wrong-key", "login", **_PSK),
    _works("psk-password-refused", "login", attempts=0, **_PSK),
    _works("psk-password-wanted", "login", within=5 + 5, **_PSK),
)

HTTP = (
    _later("http-page:404", "protocol.reply"),
    _later("http-page:403", "protocol.reply"),
    *(
        _register(f"http-page:{status}", "protocol.reply", 2, _TWICE)
        for status in (408, 425, 429, 500)
    ),
    _register("http-page:502", "protocol.reply", 2, _TWICE),
    _register("http-page:503", "protocol.reply", 2, _TWICE),
    _later("http-page:200", "protocol.reply"),
    _later("http-error:400", "register.refused"),
    _register("http-error:500", "register.refused", 2, _TWICE),
    _works("http-status:500", "register"),
    _works("http-status:404", "register"),
    _later("http-redirect:301", "protocol.redirect"),
    _later("http-redirect:302", "protocol.redirect"),
    _later("http-redirect:307", "protocol.redirect"),
    _later("http-redirect:308", "protocol.redirect"),
    _later("http-redirect-here:301", "protocol.reply"),
    _later("http-redirect-here:307", "protocol.reply"),
    # The firmware's requests speaks HTTP/1.0, to which neither of these may be sent.
    _later("http-continue", "protocol.reply"),
    _later("http-chunked:1", "protocol.reply"),
    _later("http-chunked:7", "protocol.reply"),
    _later("http-chunked:64", "protocol.reply"),
    _later("http-chunked-bad", "protocol.reply"),
    _later("http-huge-header", "protocol.size"),
    _later("http-many-headers", "protocol.size"),
    _later("http-huge-body", "protocol.size"),
    # requests reads to the end and looks at no length: what counts is that the JSON is whole.
    _works("http-length-short", "register"),
    _works("http-length-long", "register"),
    _works("http-length-none", "register"),
    _works("http-length-bad", "register"),
    _works("http-length-negative", "register"),
    _works("http-length-twice", "register"),
    _register("http-cut:0", "network.closed", 2, _TWICE),
    _register("http-cut:9", "network.closed", 2, _TWICE),
    _register("http-cut:100", "network.closed", 2, _TWICE),
    _register("http-cut:250", "network.closed", 2, _TWICE),
    _later("http-garbage", "protocol.reply"),
    _later("http-gzip", "protocol.reply"),
    _works("http-no-reason", "register"),
    _works("http-lower-case", "register"),
    _register("http-late", "network.timeout", 2, _TWICE_30),
    _register("http-half-late", "network.timeout", 2, _TWICE_30),
)

REPLY = (
    *(
        _later(f"reply-refused:{row}", "register.refused")
        for row in (
            "body",
            "fields",
            "algorithm",
            "nonce",
            "host",
            "device_name",
            "product",
            "off",
            "not_created",
            "limit",
            "activated",
            "certificate_unwanted",
            "unknown",
            "empty",
        )
    ),
    *(
        _later(f"reply-refused:{row}", "register.refused", 4)
        for row in ("signature", "expired")  # each time once with the time, once without
    ),
    *(
        _register(f"reply-refused:{row}", "register.refused", 2, _TWICE)
        for row in ("throttled", "internal", "unavailable")
    ),
    *(
        _later(f"reply-{name}", "protocol.reply")
        for name in ("text", "list", "null", "other", "deep", "not-utf8")
    ),
    # Which is what a connection that was cut looks like.
    *(_register(f"reply-{name}", "network.closed", 2, _TWICE) for name in ("empty", "half")),
    *(
        _later(f"reply-{name}", "protocol.payload")
        for name in (
            "no-payload",
            "no-len",
            "payload-number",
            "payload-text",
            "payload-short",
            "len-more",
            "len-less",
            "len-negative",
            "padding",
            "other-key",
            "no-psk",
            "psk-empty",
            "psk-number",
            "psk-text",
            "other-mode",
            "plain-text",
        )
    ),
    _works("reply-no-state", "register"),
)

MQTT = (
    *(
        # Three soon, the rest later.
        _later(f"mqtt-connack:{code}", f"login.{code}", 5, 15 + 2 * _LATER, "login for long")
        for code in (3, 4, 5, 6, 255)
    ),
    *(
        _later(f"mqtt-connack:{code}", f"login.{code}", 5, 4 * _LATER, "login for long")
        for code in (1, 2)
    ),
    _login("mqtt-connack-missing", "network.timeout", 2, _TWICE_10),
    _login("mqtt-connack-late:60", "network.timeout", 2, _TWICE_10),
    _works("mqtt-connack-late:0.2", "login"),
    _login("mqtt-connack-cut", "network.closed", 2, _TWICE),
    # Once soon, since it may be for the early request.
    _later("mqtt-connack-long", "protocol.reply", 2, _TWICE, "login"),
    # The second time without the early request, whose SUBACK made four bytes of it.
    _login("mqtt-connack-other", "network.timeout", 2, 5 + 10 + 5),
    _works("mqtt-connack-session", "login"),
    _login("mqtt-login-slow:60", "network.timeout", 2, _TWICE_10),
    _works("mqtt-login-slow:0.2", "login"),
    _works("mqtt-close-login*1", "login"),
    _works("mqtt-split", "login", attempts=3),  # CONNACK, SUBACK, the time
    Row("mqtt-suback:128", "subscribe", "subscribe.refused", 1, 2, later=True),
    Row("mqtt-suback:128", "session", "subscribe.refused", 1, 2, later=True),
    Row("mqtt-suback-missing", "subscribe", "network.timeout", 1, 13, retry=True, fast=20),
    Row("mqtt-suback-late:60", "subscribe", "network.timeout", 1, 13, retry=True, fast=20),
    _works("mqtt-suback-late:0.2", "subscribe"),
    _works("mqtt-suback-twice", "subscribe"),
    Row("mqtt-suback-other-id", "subscribe", "network.timeout", 1, 13, retry=True, fast=20),
    Row("mqtt-suback-short", "subscribe", "protocol.mqtt", 1, 2, retry=True),
    Row("mqtt-close-subscribe", "subscribe", "network.closed", 1, 2, retry=True),
    Row(
        "mqtt-puback-missing",
        "publish",
        "network.unacknowledged",
        None,
        60 + 10 + 10,  # a reconnect and an answer may be on their way
        retry=True,
        fast=50,
    ),
    Row(
        "mqtt-puback-late:60",
        "publish",
        "network.unacknowledged",
        None,
        60 + 10 + 10,  # a reconnect and an answer may be on their way
        retry=True,
        fast=50,
    ),
    _works("mqtt-puback-late:0.2", "publish"),
    _works("mqtt-puback-twice", "publish"),
    Row(
        "mqtt-puback-other-id",
        "publish",
        "network.unacknowledged",
        None,
        60 + 10 + 10,  # a reconnect and an answer may be on their way
        retry=True,
        fast=50,
    ),
    _works("mqtt-close-publish*1", "publish", within=15, fast=20),
    Row(
        "mqtt-close-publish",
        "publish",
        "network.unacknowledged",
        None,
        60 + 10 + 10,  # a reconnect and an answer may be on their way
        retry=True,
        fast=50,
    ),
    _poll("mqtt-pingresp-missing*2", "network.keepalive", 2, 170, "poll for long"),
    _poll("mqtt-silent*2", "network.keepalive", None, 170, "poll for long"),
    _poll("mqtt-second-login*1", "network.closed"),
    *(
        _poll(f"mqtt-{name}*1", "protocol.mqtt")
        for name in (
            "garbage",
            "type-0",
            "length",
            "topic-long",
            "topic-bytes",
            "no-topic",
        )
    ),
    _poll("mqtt-qos-3*1", "protocol.mqtt"),
    *(
        _works(f"mqtt-{name}*1", "poll", within=60, fast=50)
        for name in ("stranger", "huge", "strange-ack", "flood")
    ),
    _poll("tcp-restart@broker:0.3", "network.closed"),
)

TIME = (
    Row("time-missing", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-late", "time", "network.timeout", 1, 13, retry=True, fast=20),
    _works("time-late:0.2", "time"),
    _works("time-twice", "time"),
    Row("time-text", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-bytes", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-list", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-number", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-empty", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-other-type", "time", "network.timeout", 1, 13, retry=True, fast=20),
    _works("time-other-first", "time"),
    _works("time-no-ntptime", "time"),
    _works("time-half-ntptime", "time"),
    Row("time-no-time", "time", "network.timeout", 1, 13, retry=True, fast=20),
    Row("time-words", "time", "protocol.time", 1, 2, later=True),
    Row("time-null", "time", "protocol.time", 1, 2, later=True),
    Row("time-zero", "time", "protocol.time", 1, 2, later=True),
    Row("time-huge", "time", "protocol.time", 1, 2, later=True),
    Row("time-off:-30", "time", "protocol.time", 1, 2, later=True),
    Row("time-off:100", "time", "protocol.time", 1, 2, later=True),
    # Waiting may bring a clock; a wrong one is doubted where a certificate speaks against it.
    _register("ntp-silent", "network.clock", None, 15, retry=True),
    _register("ntp-short", "network.clock", None, 15, retry=True),
    _register("ntp-off:-20", "network.clock", None, 15, retry=True),
    _later("ntp-kiss", "certificate.date", None, _LATER + 30),
    _later("ntp-garbage", "certificate.date", None, _LATER + 30),
    _later("ntp-off:5", "certificate.date", None, _LATER + 30),
)

ROWS = (*DNS, *TCP, *TLS, *PSK, *HTTP, *REPLY, *MQTT, *TIME)

# What a program that takes updates makes of a fault (tests_host/ota): the code that the cloud is
# told and a word of the sentence; None where the update is taken all the same.
UPDATES: dict[str, tuple[int, str] | None] = {
    "ota-md5": (-4, "hash"),
    "ota-size": (-2, "of"),
    "ota-version": (-5, "1."),
    "ota-url": (-1, "another-host"),
    "ota-truncated": (-2, "of"),
    "ota-corrupt": (-4, "hash"),
    "ota-no-range": None,
    "ota-cut:0": (-1, "the other end"),
    "ota-cut*3": None,
    "ota-slow:0.1": None,
    "ota-status:404": (-2, "404"),
    "ota-status:403": (-3, "403"),
    "ota-status:503*2": None,
    "ota-redirect": (-5, "elsewhere"),
}

# What main.py makes of a fault, by what shows of it on a whole board.
APPLICATION = {
    # It gets there after a wait of 15 minutes or more.
    "waits": (
        "tls-unknown-ca@gateway*1",
        "http-page:403*1",
        "reply-refused:off*1",
        "reply-refused:unknown*1",
        "reply-other-key*1",
        "psk-refused*1 tls-unknown-ca@broker*2",
        "mqtt-connack:5*8",
    ),
    # A board that is registered gets there soon.
    "goes on": (
        "time-missing*2",
        "time-zero",
        "mqtt-suback-missing*2",
        "mqtt-close-subscribe*2",
        "mqtt-close-login*2",
    ),
    # It starts without the time or its topic, and gets them once the fault is over.
    "starts without": ("mqtt-suback:128", "time-missing", "time-zero", "mqtt-suback-missing"),
}

# Other releases of requests answer these otherwise (DYNREG_UREQUESTS=FILE): of 2026, which speaks
# HTTP/1.1 and counts the bytes; and before 2021, which follows no redirect.
_HTTP_1_1 = (
    *(_works(f"http-chunked:{size}", "register") for size in (1, 7, 64)),
    *(
        _register(f"http-length-{which}", "network.closed", 2, _TWICE)
        for which in ("short", "long", "negative", "twice")
    ),
    _later("http-length-bad", "protocol.reply"),
    _later("http-redirect-here:301", "protocol.redirect"),
    _later("http-redirect-here:307", "protocol.redirect"),
)
_BEFORE_2021 = (
    *(_later(f"http-redirect:{status}", "protocol.reply") for status in (301, 302, 307, 308)),
    _later("dns-portal", "protocol.reply", plain=True, **_BY_NAME),
    _later("http-no-reason", "protocol.reply"),
)


def rows(requests: str = "") -> tuple[Row, ...]:
    """The rows as they are for a release of requests, by its source; "": the wheel's own."""
    other = _HTTP_1_1 if "HTTP/1.1" in requests else ()
    if "Redirects not yet supported" in requests:
        other = _BEFORE_2021
    instead = {(row.fault, row.step, row.plain): row for row in other}
    return tuple(instead.get((row.fault, row.step, row.plain), row) for row in ROWS)
