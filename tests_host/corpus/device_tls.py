"""Real TLS against small servers that behave well or badly, with real time and deadlines."""

import json

import fakes
import gateway
from dynreg import port
from dynreg.connect import link, tls, trust
from dynreg.device import DeviceInfo
from dynreg.errors import CertificateError, DynregError, NetworkError

DEADLINE_MS = 300
# What a loaded machine may add to a deadline; the badly behaved go on for 3 s and more.
SLACK_MS = 700


def _open(name, ms=5000, ca="ca", identity=None):
    """A verified link to the server of that name."""
    servers = fakes.servers()
    ca = servers[ca] if ca else None
    link = tls.connect(
        "localhost",
        servers["ports"][name],
        trust.context(ca, tls.GATEWAY, identity),
        ms,
    )
    fakes.at_end(link.drop)
    return link


def _timed(call, *arguments):
    """Milliseconds that call takes."""
    began = port.ticks_ms()
    call(*arguments)
    return port.ticks_diff(port.ticks_ms(), began)


def _in_time(call):
    """call() ends at its deadline: not before it, and not long after."""
    took = _timed(call)
    assert DEADLINE_MS - 20 <= took < DEADLINE_MS + SLACK_MS, took


# --- whom to trust ------------------------------------------------------------------------------


def test_a_verified_connection_carries_bytes_both_ways():
    link = _open("echo")
    for data in (b"x", b"hello\n", bytes(range(256)) * 40):
        link.write(data)
        assert link.read(len(data)) == data


def test_a_server_that_asks_gets_our_certificate():
    pairs = fakes.servers()["pairs"]
    for name in ("rsa", "ec"):
        for end in ("\n", "\r\n"):
            identity = tuple(pem.replace("\n", end) for pem in pairs[name])
            link = _open("mutual", identity=identity)
            link.write(b"hello")
            assert link.read(5) == b"hello", name


def test_a_server_that_asks_takes_no_other():
    for identity in (None, fakes.servers()["pairs"]["other"]):
        fakes.raises(NetworkError, lambda identity=identity: _open("mutual", identity=identity))


def test_a_server_that_does_not_ask_is_no_fault():
    link = _open("echo", identity=fakes.servers()["pairs"]["ec"])
    link.write(b"hello")
    assert link.read(5) == b"hello"


def test_a_key_of_another_certificate_is_never_used():
    pairs = fakes.servers()["pairs"]
    for key in (pairs["other"][1], pairs["rsa"][1]):
        try:
            _open("mutual", identity=(pairs["ec"][0], key))
        except DynregError as error:
            print(repr(error))
        else:
            raise AssertionError("connected with a pair that is none")


def test_the_handshake_is_two_segments_and_a_request_one():
    segments = []

    class Wire(link.Wire):
        def flush(self):
            if self._out:
                segments.append(len(self._out))
            super().flush()

    fakes.replace(link, "Wire", Wire)
    opened = _open("echo")
    assert len(segments) == 2, segments
    for part in (b"one ", b"two ", b"three"):
        opened.write(part)
    assert opened.read(13) == b"one two three"
    assert len(segments) == 3, segments


def _refused(name, words, ca="ca", code="certificate"):
    error = fakes.raises(CertificateError, lambda: _open(name, ca=ca), code=code, retry=900)
    text = str(error)
    assert "localhost" in text and words in text and "\n" not in text, text


def test_a_wrong_ca():
    _refused("echo", "not correctly signed", ca="otherCa")
    _refused("echo", "goes into gatewayCa or mqttCa", ca="otherCa")


def test_the_built_in_roots_do_not_trust_everybody():
    _refused("echo", "not correctly signed", ca=None)


def test_a_wrong_name():
    _refused("wrong name", "does not match")


def test_an_expired_certificate():
    _refused("expired", "expired", code="certificate.date")


def test_a_certificate_that_is_not_valid_yet():
    _refused("not yet", "starts in the future", code="certificate.date")


def test_a_self_signed_certificate():
    _refused("self-signed", "not correctly signed")


def test_an_unset_clock_is_named_with_the_certificate():
    # Not a CertificateError: a later try may find a time source, and then judge.
    fakes.replace(port, "unix_ms", lambda: 946684800000)
    says = ("localhost", "expired", "the clock is not set")
    fakes.raises(NetworkError, _open, "expired", code="network.clock", says=says, retry=True)


def test_nothing_is_sent_to_whom_is_not_trusted():
    sent = []

    class Wire(link.Wire):
        def write(self, data):
            sent.append(bytes(data))
            return super().write(data)

    fakes.replace(link, "Wire", Wire)
    servers = fakes.servers()
    info = DeviceInfo(
        fakes.device_info(
            endpoint={
                "gateway": f"https://localhost:{servers['ports']['gateway']}",
                "gatewayCa": servers["otherCa"],
            }
        )
    )
    fakes.raises(CertificateError, gateway.obtain, info)
    assert sent
    assert not [data for data in sent if b"POST" in data or fakes.PRODUCT.encode() in data]
    # Application data is a record of type 23: none of those.
    assert not [data for data in sent if data[0] == 23]


# --- registration, for real ---------------------------------------------------------------------


def _register(name):
    servers = fakes.servers()
    vector = fakes.vectors()["decrypt"][0]
    info = DeviceInfo(
        fakes.device_info(
            productSecret=vector["product_secret"],
            endpoint={
                "gateway": f"https://localhost:{servers['ports'][name]}",
                "gatewayCa": servers["ca"],
            },
        )
    )
    assert gateway.obtain(info) == json.loads(vector["plaintext"])["psk"]


def test_a_registration():
    _register("gateway")


def test_a_registration_whose_gateway_hangs_up_without_close_notify():
    _register("gateway no close_notify")


# --- reading ------------------------------------------------------------------------------------


def test_ready_sees_what_is_decrypted_already():
    link = _open("long")
    link.write(b"go")  # TLS 1.3's tickets may be there already
    assert link.ready(3000) is True
    expected = bytes(range(200)) * 3
    for start in range(0, 600, 100):
        assert link.ready(0) is True, start
        assert link.read(100) == expected[start : start + 100]
    assert _timed(link.ready, 50) >= 45
    assert link.ready(0) is False


def test_a_close_without_close_notify_ends_the_reply():
    for read in (lambda link: link.read(), lambda link: link.read(4)):
        link = _open("hang up")
        link.write(b"ask")
        assert read(link) == b"half"


def test_a_close_in_the_middle_of_a_read():
    link = _open("hang up")
    link.write(b"ask")
    fakes.raises(NetworkError, link.read, 5, code="network.closed", retry=True)


# --- the network at its worst -------------------------------------------------------------------


def test_plain_text_on_the_tls_port():
    says = "does it speak TLS"
    fakes.raises(NetworkError, lambda: _open("plain text"), code="network.tls", says=says)


def test_a_connection_closed_in_the_handshake():
    for name in ("hang up in the handshake", "reset in the handshake"):
        fakes.raises(NetworkError, lambda n=name: _open(n), code="network.closed", retry=True)


def test_a_port_where_nobody_listens():
    fakes.raises(NetworkError, lambda: _open("closed"), code="network.connect", says="localhost")


def _fed():
    """How often idle() was called; a function."""
    times = []
    fakes.replace(port, "idle", lambda: times.append(0))
    return lambda: len(times)


def test_a_host_that_does_not_answer():
    fed = _fed()
    took = _timed(
        lambda: fakes.raises(
            NetworkError, lambda: _open("full", 1700), code="network.timeout", says="localhost"
        )
    )
    assert 1680 <= took < 1700 + SLACK_MS and fed() >= 2, (took, fed())


def test_a_peer_that_takes_nothing():
    link = tls.connect("localhost", fakes.servers()["ports"]["deaf"], None, 5000)
    fakes.at_end(link.drop)
    link.within(1700)
    fed = _fed()

    def fill():
        while True:
            link.write(bytes(1 << 15))

    took = _timed(lambda: fakes.raises(NetworkError, fill, code="network.closed", retry=True))
    assert 1680 <= took < 1700 + 500 + SLACK_MS and fed() >= 2, (took, fed())


def test_silence_in_the_handshake():
    _in_time(
        lambda: fakes.raises(
            NetworkError, lambda: _open("silence", DEADLINE_MS), code="network.timeout"
        )
    )


def test_one_byte_each_100_ms_in_the_handshake():
    _in_time(
        lambda: fakes.raises(
            NetworkError,
            lambda: _open("drip in the handshake", DEADLINE_MS),
            code="network.timeout",
        )
    )


def test_silence_after_the_handshake():
    link = _open("echo")
    link.setblocking(True)
    link.within(DEADLINE_MS)
    _in_time(lambda: fakes.raises(NetworkError, link.read, 1, code="network.timeout"))


def test_one_byte_each_100_ms_after_the_handshake():
    for read in (lambda link: link.read(100), lambda link: link.readline()):
        link = _open("drip")
        link.within(DEADLINE_MS)
        _in_time(lambda r=read, o=link: fakes.raises(NetworkError, r, o, code="network.timeout"))
