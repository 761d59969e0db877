"""What a case may come to: a sound result, or an error of dynreg's that gives nothing away."""

import canaries
import fakes
from dynreg import errors, log

# The codes of docs/errors.md; test_fuzz.py compares.
CODES = {
    "ConfigError": ("config", "config.other", "argument", "busy"),
    "StorageError": (
        "storage",
        "storage.full",
        "storage.two",
        "storage.damaged",
        "ota.hash",
        "ota.bundle",
        "ota.full",
        "ota.slots",
    ),
    "NetworkError": (
        "network.dns",
        "network.connect",
        "network.timeout",
        "network.closed",
        "network.tls",
        "network.clock",
        "network.wifi",
        "network.keepalive",
        "network.unacknowledged",
        "service.late",
    ),
    "CertificateError": ("certificate", "certificate.date", "certificate.psk"),
    "ProtocolError": (
        "protocol.reply",
        "protocol.payload",
        "protocol.size",
        "protocol.redirect",
        "protocol.library",
        "protocol.mqtt",
        "protocol.time",
        "ota.url",
        "ota.missing",
        "ota.denied",
        "service.refused",
        "service.reply",
    ),
    "RegistrationError": ("register.refused",),
    "DynregError": ("memory",),
    "LoginError": [f"login.{code}" if code else "subscribe.refused" for code in range(256)],
}
_SECRETS = list(canaries.forms())
_MOST_WAITS = 200000  # 16 KB, read byte by byte, take a quarter of that
_lines = []
seen = {"sound": 0, "refused": 0}  # what tried() saw


class Fault(Exception):
    """dynreg did what it must not; the message says what."""


class Hang(BaseException):
    """So many waits on one connection that there is no end to it."""


class Peer(fakes.Peer):
    """The other end, which notices that it is asked for ever."""

    waits = 0

    def due(self):
        self.waits += 1
        if self.waits > _MOST_WAITS:
            raise Hang(f"{self.waits} waits on one connection")
        return super().due()


def expect(good, what):
    """Fault(what) unless good."""
    if not good:
        raise Fault(what)


def capture_log():
    """From now on what dynreg logs is collected, to be searched."""
    del _lines[:]
    fakes.replace(log, "line", lambda name, text: _lines.append(text))
    fakes.replace(log, "level", log.DEBUG)


def logged(words):
    """Whether a line of the log since capture_log() holds these words."""
    return any(words in line for line in _lines)


def tried(call, *arguments):
    """(what call gives, None), or (None, the DynregError that it raises, which is a sound one)."""
    try:
        result = call(*arguments)
        seen["sound"] += 1
        return result, None
    except errors.DynregError as error:
        check(error)
        seen["refused"] += 1
        return None, error


def judged(taken):
    """Counts an input that was taken, or refused without an error that comes out."""
    seen["sound" if taken else "refused"] += 1


def check(error):
    """Fault unless the error is one that docs/errors.md promises."""
    name = type(error).__name__
    expect(error.code in CODES.get(name, ()), f"{name} has the code {error.code}")
    # What else is no DynregError inside is a fault of ours.
    expect(error.code != "memory" or "MemoryError" in str(error), str(error))
    expect(0 <= error.retry <= 3600, f"{error.code}: retry is {error.retry!r}")
    expect(str(error), f"{error.code} has no words")
    for text in (error.cloud_code, error.cloud_message, error.request_id):
        expect(text is None or isinstance(text, str), "what the cloud sent is no text")
        check_no_secret(text or "")
    check_no_secret(repr(error) + str(error) + repr(error.args))


def check_no_secret(text):
    """Fault where text holds a secret of canaries.py; the text itself is not shown."""
    lower = text.lower()
    for what, secret in _SECRETS:
        expect(secret.lower() not in lower, f"an error or a log line holds {what}")


def finish(net=None, clock=None, most_ms=0):
    """Fault where a socket is still open, time ran away, or the log holds a secret."""
    check_no_secret("\n".join(_lines))
    if net:
        for sock in net.sockets:
            expect(sock._peer.closed, "a socket stays open")
        expect(clock.passed <= most_ms, "more time went by than is allowed")
