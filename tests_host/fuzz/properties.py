"""Hypothesis on CPython: every target with drawn cases, and values of shapes that it knows well.

    python tests_host/corpus/runner.py tests_host/fuzz/properties.py [test_a …]

test_fuzz.py runs each function so, with 60 examples, and `./dev long` with 1000 (FUZZ_EXAMPLES).
The generators of the seeded run draw from Hypothesis here, which makes a case that fails smaller.
"""

import atexit
import datetime
import gc
import json
import os
import signal
from binascii import crc32
from contextlib import suppress

import brokers
import packets
import targets
from dynreg.connect import first_clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_HANGS_S = 1  # of processor time, for one case

settings.register_profile(
    "fuzz",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz")
_environment = targets.Environment()
_environment.__enter__()
atexit.register(_environment.__exit__)


class Drawn:
    """A source (source.py) whose choices are Hypothesis's."""

    def __init__(self, data):
        self._draw = data.draw

    def below(self, count):
        return self._draw(st.integers(0, count - 1))

    def bytes(self, count):
        return self._draw(st.binary(min_size=count, max_size=count))

    def chance(self, count):
        return self.below(count) == count - 1  # Hypothesis shrinks towards 0: the plain case

    def one_of(self, things):
        return things[self.below(len(things))]


def _hangs(*_):
    raise KeyboardInterrupt


def _run(name, case):
    """The case; raises what its target raises, and ends what hangs."""
    gc.freeze()  # a case collects a dozen times: not all that Hypothesis keeps
    signal.signal(signal.SIGVTALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANGS_S)
    try:
        targets.run(name, case)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _drawn(name):
    @given(st.data())
    def test(data):
        _run(name, targets.TARGETS[name][0](Drawn(data)))

    return test


test_drawn_date = _drawn("date")
test_drawn_device_info = _drawn("device_info")
test_drawn_mqtt = _drawn("mqtt")
test_drawn_pem = _drawn("pem")
test_drawn_plaintext = _drawn("plaintext")
test_drawn_record = _drawn("record")
test_drawn_reply = _drawn("reply")
test_drawn_service = _drawn("service")
test_drawn_time = _drawn("time")

# --- shapes -------------------------------------------------------------------------------------

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["YOUR_X", "KEY", "CERT", "china", "{mac}", "mqtt://h", "http://h:0", "a" * 49]
    )
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def _objects(**keys):
    """JSON objects with some of these keys, each with a fitting value or any."""
    fields = {key: _values | strategy for key, strategy in keys.items()}
    return st.fixed_dictionaries({}, optional=fields)


_names = st.from_regex(r"\A[A-Za-z0-9:_-]{1,48}\Z")
_device_infos = _objects(
    auth_mode=st.sampled_from(["KEY", "CERT"]),
    productId=_names,
    productSecret=st.text(st.characters(codec="utf-8"), min_size=14, max_size=34),
    deviceName=_names,
    key_deviceinfo=_objects(deviceSecret=st.just("YQ=="), check=_values),
    cert_deviceinfo=_objects(devCertFile=st.text(), devPrivateKeyFile=st.text(), check=_values),
    region=st.sampled_from(["china", "europe", "us-east"]),
    wifi=_objects(ssid=st.text(), password=st.text()),
    endpoint=_objects(
        gateway=st.from_regex(r"\Ahttps?://[a-z0-9.:/]*\Z"),
        mqtt=st.from_regex(r"\Amqtt(s|s\+psk)?://[a-z0-9.:/]*\Z"),
        mqttCa=st.text(),
    ),
    burnProductSecret=st.booleans(),
    early=st.booleans(),
)


@given(_device_infos)
def test_device_info_of_any_values(values):
    _run("device_info", json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@given(st.binary())
def test_device_info_of_any_bytes(data):
    _run("device_info", data)


@given(
    _objects(
        Response=_objects(
            Len=st.integers(0, 200),
            Payload=st.from_regex(r"\A[A-Za-z0-9+/]{0,90}={0,2}\Z"),
            RequestId=st.text(),
            Error=_objects(Code=st.text(), Message=st.text()),
        )
    ),
    st.integers(100, 599),
)
def test_reply_of_any_values(values, status):
    body = json.dumps(values).encode()
    _run("reply", (0, b"HTTP/1.0 %d X\r\n\r\n" % status + body, 100000, True))


@given(st.binary() | st.binary().map(lambda data: b"HTTP/1.1 200 OK\r\n" + data), st.booleans())
def test_reply_of_any_bytes(data, ends):
    _run("reply", (0, data, 7, ends))


@given(
    _objects(
        encryptionType=st.sampled_from([1, 2]),
        psk=st.from_regex(r"\A[A-Za-z0-9+/]*={0,2}\Z"),
        clientCert=st.text(),
        clientKey=st.text(),
    ),
    st.sampled_from(["KEY", "CERT"]),
)
def test_plaintext_of_any_values(values, mode):
    plain = json.dumps(values).encode()
    pad = bytes(-len(plain) % 16)
    _run("plaintext", (mode, plain, str(len(plain)).encode(), pad))


_packets = st.builds(packets.packet, st.integers(0, 255), st.binary()) | st.binary()
_plans = st.lists(
    st.tuples(st.sampled_from(sorted(set(brokers._MUTATIONS))), _packets, st.integers(0, 255)),
    max_size=10,
)


@given(st.lists(_plans, min_size=3, max_size=3))
def test_mqtt_of_any_packets(plans):
    _run("mqtt", plans)


_numbers = st.integers() | st.floats() | st.integers().map(str)


@given(
    _objects(type=st.just("get"), time=_numbers, ntptime1=_numbers, ntptime2=_numbers),
    st.booleans(),
)
def test_time_of_any_values(values, early):
    _run("time", (early, json.dumps(values).encode()))


@given(
    st.lists(_values | st.just("ABCDEFGHIJ/dev-01")) | _values, st.sampled_from(["KEY", "CERT"])
)
def test_record_of_any_values(values, mode):
    data = json.dumps(values).encode()
    _run("record", (mode, crc32(data).to_bytes(4, "big") + data))


@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(9999, 12, 31)))
def test_every_date_is_read_as_it_was_written(date):
    text = f"{date:%a, %d} {'JanFebMarAprMayJunJulAugSepOctNovDec'[date.month * 3 - 3 :][:3]} "
    text += f"{date.year:04} {date:%H:%M:%S} GMT"
    unix = int(date.replace(microsecond=0, tzinfo=datetime.UTC).timestamp())
    assert first_clock.http_date(text.encode()) == unix


@given(st.binary())
def test_no_date_is_a_value_error(data):
    with suppress(ValueError):
        assert isinstance(first_clock.http_date(data), int)


@given(
    st.lists(
        st.sampled_from([b"-----", b"BEGIN ", b"END ", b"CERTIFICATE", b"PRIVATE KEY", b"\n"])
        | st.from_regex(rb"\A[A-Za-z0-9+/]{0,8}\Z")
        | st.binary(max_size=4)
    ).map(b"".join),
    st.booleans(),
)
def test_pem_of_any_pieces(data, own):
    _run("pem", (own, data, data))
