"""The promise, a row a fault: what the program sees, how often the hub is asked, how long at most.

A step runs under the fault; then the fault is cleared and the same board, without a reset, does
the whole flow (conftest.Rig.check_recovered).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """fault: as for `./dev hub --fault`; several with a space between.

    step: of probe.py. code: of the error that comes out, None where the step works all the same.
    attempts: how often the fault is triggered, None where it is of no single connection. within:
    seconds of the board's clock. retry: what the error says. lost: code of what poll() heals by
    itself. fast: how many times as fast the board's clock runs.
    """

    fault: str
    step: str
    code: str | None
    attempts: int | None
    within: float
    retry: bool | None = None
    lost: str | None = None
    by_name: bool = False
    plain: bool = False
    fast: float = 1
    hub: dict = field(default_factory=dict)


def _register(fault, code, attempts, within, step="register", **more):
    # A wait of 30 s may be many short ones, each of which really waits a moment.
    fast = 20 if code == "network.timeout" else 1
    return Row(fault, step, code, attempts, within, **{"fast": fast, **more})


def _login(fault, code, attempts, within, **more):
    return _register(fault, code, attempts, within, "login", **more)


def _works(fault, step, within=5, attempts=1, **more):
    return Row(fault, step, None, attempts, within, **more)


def _poll(fault, lost, attempts=1, within=60, step="poll", **more):
    return Row(fault, step, None, attempts, within, lost=lost, fast=50, **more)


_TWICE_30 = 30 + 5 + 30 + 5  # two registrations that run into their deadline, a back-off between
_TWICE_10 = 10 + 5 + 10 + 5  # two logins
_TWICE = 5 + 2  # two quick failures
_NO_DNS = 7 + 5 + 7 + 3
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
    _register("dns-portal", "certificate", 1, 2, **_BY_NAME),
    _register("dns-portal", "protocol.redirect", 1, 2, plain=True, **_BY_NAME),
    _login("dns-nxdomain", "network.dns", 2, _TWICE, **_BY_NAME),
    _login("dns-portal", "certificate", 1, 2, **_BY_NAME),
    _works("dns-alias*2", "register", attempts=2, **_BY_NAME),
    _works("dns-garbage*2", "register", attempts=2, **_BY_NAME),
    _works("dns-late:0.15*1", "register", within=15, fast=20, **_BY_NAME),
    _poll("tcp-restart@broker:0.01 dns-nxdomain*2", "network.closed", **_BY_NAME),
)

TCP = tuple(
    row
    for make, service, twice in (
        (_register, "gateway", _TWICE_30),
        (_login, "broker", _TWICE_10),
    )
    for row in (
        make(f"tcp-refuse@{service}", "network.connect", 1, _TWICE, retry=True),
        make(f"tcp-ignore@{service}:600", "network.timeout", 1, twice, retry=True),
        _works(f"tcp-ignore@{service}:0.3", make("", "", 0, 0).step, retry=True),
        make(f"tcp-reset@{service}:0", "network.closed", 2, _TWICE),
        make(f"tcp-reset@{service}:500", "network.closed", 2, _TWICE),
        make(f"tcp-reset-in@{service}:1", "network.closed", 2, _TWICE),
        make(f"tcp-reset-in@{service}:400", "network.closed", 2, _TWICE),
        make(f"tcp-close@{service}:0", "network.closed", 2, _TWICE),
        make(f"tcp-close@{service}:500", "network.closed", 2, _TWICE),
        make(f"tcp-silent@{service}:0", "network.timeout", 2, twice),
        make(f"tcp-silent@{service}:500", "network.timeout", 2, twice),
        make(f"tcp-drip@{service}:0.02", "network.timeout", 2, twice + 60, fast=50),
        make(f"tcp-late@{service}:1", "network.timeout", 2, twice + 10, fast=50),
        make(f"tcp-flip@{service}:700", "network.tls", 2, _TWICE),
        _works(f"tcp-pieces@{service}", make("", "", 0, 0).step),
        _works(f"tcp-nagle@{service}", make("", "", 0, 0).step),
    )
)

TLS = tuple(
    row
    for make, service in ((_register, "gateway"), (_login, "broker"))
    for row in (
        make(f"tls-unknown-ca@{service}", "certificate", 1, 2),
        make(f"tls-expired@{service}", "certificate.date", None, 5),
        make(f"tls-not-yet@{service}", "certificate.date", None, 5),
        make(f"tls-wrong-name@{service}", "certificate", 1, 2),
        make(f"tls-self-signed@{service}", "certificate", 1, 2),
        make(f"tls-version@{service}:1.1", "network.tls", 2, _TWICE),
        make(f"tls-version@{service}:1.3", "network.tls", 2, _TWICE),
        make(f"tls-client-certificate@{service}", "network.tls", 2, _TWICE),
        make(f"tls-alert@{service}:40", "network.tls", 2, _TWICE),
        make(f"tls-alert@{service}:80", "network.tls", 2, _TWICE),
        make(f"tls-plain@{service}", "network.tls", 2, _TWICE),
        make(f"tls-garbage@{service}", "network.tls", 2, _TWICE),
    )
)

_PSK = {"hub": {"psk": True}}
PSK = (
    _works("psk-off", "login", **_PSK),
    _works("psk-refused", "login", **_PSK),
    _works("psk-wrong-key", "login", **_PSK),
)

HTTP = (
    _register("http-page:404", "protocol.reply", 1, 2),
    _register("http-page:403", "protocol.reply", 1, 2),
    _register("http-page:500", "protocol.reply", 2, _TWICE),
    _register("http-page:502", "protocol.reply", 2, _TWICE),
    _register("http-page:503", "protocol.reply", 2, _TWICE),
    _register("http-page:200", "protocol.reply", 1, 2),
    _register("http-error:400", "register.refused", 1, 2),
    _register("http-error:500", "register.refused", 2, _TWICE),
    _works("http-status:500", "register"),
    _works("http-status:404", "register"),
    _register("http-redirect:301", "protocol.redirect", 1, 2),
    _register("http-redirect:302", "protocol.redirect", 1, 2),
    _register("http-redirect:307", "protocol.redirect", 1, 2),
    _register("http-redirect:308", "protocol.redirect", 1, 2),
    _register("http-redirect-here:301", "protocol.reply", 1, 2),
    _register("http-redirect-here:307", "protocol.reply", 1, 2),
    # The firmware's requests speaks HTTP/1.0, to which neither of these may be sent.
    _register("http-continue", "protocol.reply", 1, 2),
    _register("http-chunked:1", "protocol.reply", 1, 2),
    _register("http-chunked:7", "protocol.reply", 1, 2),
    _register("http-chunked:64", "protocol.reply", 1, 2),
    _register("http-chunked-bad", "protocol.reply", 1, 2),
    _register("http-huge-header", "protocol.size", 1, 2),
    _register("http-many-headers", "protocol.size", 1, 2),
    _register("http-huge-body", "protocol.size", 1, 2),
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
    _register("http-garbage", "protocol.reply", 1, 2),
    _register("http-gzip", "protocol.reply", 1, 2),
    _works("http-no-reason", "register"),
    _works("http-lower-case", "register"),
    _register("http-late", "network.timeout", 2, _TWICE_30),
    _register("http-half-late", "network.timeout", 2, _TWICE_30),
)

REPLY = (
    *(
        _register(f"reply-refused:{row}", "register.refused", 1, 2)
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
        _register(f"reply-refused:{row}", "register.refused", 2, 2, retry=False)
        for row in ("signature", "expired")  # once with the time, once without
    ),
    *(
        _register(f"reply-refused:{row}", "register.refused", 2, _TWICE)
        for row in ("throttled", "internal", "unavailable")
    ),
    *(
        _register(f"reply-{name}", "protocol.reply", 1, 2)
        for name in ("text", "list", "null", "other", "deep", "not-utf8")
    ),
    # Which is what a connection that was cut looks like.
    *(_register(f"reply-{name}", "network.closed", 2, _TWICE) for name in ("empty", "half")),
    *(
        _register(f"reply-{name}", "protocol.payload", 1, 2)
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
        Row(f"mqtt-connack:{code}", "login for long", f"login.{code}", 3, 5 + 10 + 1, retry=False)
        for code in (3, 4, 5, 6, 255)
    ),
    *(
        Row(f"mqtt-connack:{code}", "login for long", f"login.{code}", 1, 1, retry=False)
        for code in (1, 2)
    ),
    _login("mqtt-connack-missing", "network.timeout", 2, _TWICE_10),
    _login("mqtt-connack-late:60", "network.timeout", 2, _TWICE_10),
    _works("mqtt-connack-late:0.2", "login"),
    _login("mqtt-connack-cut", "network.closed", 2, _TWICE),
    _login("mqtt-connack-long", "protocol.reply", 1, 2),
    _login("mqtt-connack-other", "protocol.reply", 1, 2),
    _works("mqtt-connack-session", "login"),
    _login("mqtt-login-slow:60", "network.timeout", 2, _TWICE_10),
    _works("mqtt-login-slow:0.2", "login"),
    _works("mqtt-close-login*1", "login"),
    _works("mqtt-split", "login", attempts=None),
    Row("mqtt-suback:128", "subscribe", "subscribe.refused", 1, 2, retry=False),
    Row("mqtt-suback:128", "session", "subscribe.refused", 1, 2, retry=False),
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
    Row("time-words", "time", "protocol.time", 1, 2, retry=False),
    Row("time-null", "time", "protocol.time", 1, 2, retry=False),
    Row("time-zero", "time", "protocol.time", 1, 2, retry=False),
    Row("time-huge", "time", "protocol.time", 1, 2, retry=False),
    Row("time-off:-30", "time", "protocol.time", 1, 2, retry=False),
    Row("time-off:100", "time", "protocol.time", 1, 2, retry=False),
    # Waiting may bring a clock; a wrong one is doubted where a certificate speaks against it.
    _register("ntp-silent", "network.clock", None, 15, retry=True),
    _register("ntp-short", "network.clock", None, 15, retry=True),
    _register("ntp-off:-20", "network.clock", None, 15, retry=True),
    _register("ntp-kiss", "certificate.date", None, 5, retry=False),
    _register("ntp-garbage", "certificate.date", None, 5, retry=False),
    _register("ntp-off:5", "certificate.date", None, 5, retry=False),
)

ROWS = (*DNS, *TCP, *TLS, *PSK, *HTTP, *REPLY, *MQTT, *TIME)
