"""The board of the model: the library as it is, on a flash that is bytes in memory.

A Board keeps what outlives a reset: its files and its NVS. Each boot is dynreg's own code on the
corpus' stand-ins for time and network; `World.step()` counts what may be cut off: each change of
the flash and each segment sent, and the power goes at the one that was chosen.
"""

import gc
import io
from binascii import a2b_base64
from email.utils import formatdate
from random import Random

import canaries
import cloud as clouds
import fake_network
import fakes
from dynreg import Device, log, port
from dynreg.connect import first_clock, tls, trust  # noqa: F401 (loaded before they are patched)
from dynreg.errors import DynregError
from dynreg.storage import credentials, device_file, notes, store
from fakes import END, Namespace

from dynreg_tools.hub.mqtt import framing, login, packets

PATH, RECORD = "/device_info.json", "dynreg/credential"
RECORD_FILE = "/dynreg.rec"  # where there is no NVS
NOTES, NOTES_FILE = "dynreg/notes", "/dynreg.notes"
_CERTIFICATE = (1735689600, fakes.NOW + 3 * 365 * 86400)  # from when to when the hub's is good
_REAL_HANDSHAKE = tls.handshake
FAULTS = ("lost reply", "lost CONNACK", "unreachable", "busy", "portal")


class PowerCut(BaseException):
    """Nothing of dynreg may catch it, as nothing survives it."""


class World:
    """True time, cloud, and what is about to go wrong; faults: how often, by name of FAULTS."""

    def __init__(self, psk):
        self.ms = fakes.NOW * 1000
        self.random = Random(1)
        self.cloud = clouds.Cloud(canaries.PRODUCT_SECRET, psk, self.random)
        self.faults = dict.fromkeys(FAULTS, 0)
        self.ntp_is_off_by = self.cloud_is_off_by = 0  # seconds
        self.variant = lambda: None  # what a test breaks in the library

    def takes(self, fault):
        """Whether this fault happens now."""
        if not self.faults[fault]:
            return False
        self.faults[fault] -= 1
        return True

    def mend(self):
        """All faults are over; what a person has done stays."""
        self.faults = dict.fromkeys(FAULTS, 0)
        self.ntp_is_off_by = self.cloud_is_off_by = 0


class Boot:
    """What one boot came to.

    online: whether it logged in and has the time. error, sentence: a DynregError and its words.
    cut: whether the power went. grants, lost: secrets that the cloud gave to it, and how many
    never reached it. asked: whether it asked for one at all. stored: the records that it wrote.
    logins: the names and secrets with which it was let in. output: all that a person or program
    can see of it.
    """

    def __init__(self):
        self.online = self.cut = self.asked = False
        self.error = None
        self.grants = self.lost = 0
        self.stored, self.logins, self.output = [], [], []
        self.sentence = ""

    def failed(self, error):
        """Now, while the library is as the test has made it, an error's words are taken."""
        self.error, self.sentence = error, str(error)
        self.output.extend((self.sentence, repr(error), error.cloud_message or ""))


class Board:
    """One board: mac (6 bytes), files (bytes by path), nvs (bytes by "namespace/key")."""

    def __init__(self, world, mac, has_nvs=True):
        self.world, self.mac, self.has_nvs = world, mac, has_nvs
        self.files, self.nvs = {}, _Blobs()

    def boot(self, cut=None, half=False, rtc=None, attempts=6):
        """A Boot. cut: the power goes at the step of this number, half: in the middle of it.

        rtc: Unix seconds that the real-time clock has kept or has wrong; None: as without power.
        """

        def program(boot):
            device = Device(PATH)
            try:
                device.connect(attempts=attempts)
                device.sync_clock()
                boot.online = True
            except DynregError as error:
                boot.failed(error)
            boot.output.extend((device.status(), device.report(boot.error), repr(device.state())))

        return self._power_on(program, cut, half, rtc)

    def forget(self, cut=None, half=False):
        """A person calls Device.forget() at the prompt: a Boot, in which nothing is asked."""
        return self._power_on(
            lambda boot: Device.forget(clouds.PRODUCT, PATH), cut, half, fakes.NOW
        )

    def _power_on(self, program, cut, half, rtc):
        boot, world = Boot(), self.world
        power = _Power(cut, half)
        clock = fakes.Clock(rtc if rtc is None else rtc * 1000)
        try:
            self._put_in_place(boot, power, clock)
            world.variant()
            program(boot)
        except PowerCut:
            boot.cut, boot.online = True, False
        except DynregError as error:
            boot.failed(error)
        finally:
            fakes.restore()
            world.ms += clock.passed + 1000
        return boot

    def _put_in_place(self, boot, power, clock):
        world = self.world
        began = world.ms
        net = fakes.network(clock)

        def now():
            return began + clock.passed

        def meet(*hints):
            peer = _Peer(world, boot, power, now)
            peer.clock = clock
            net.sockets.append(fake_network._Socket(peer))
            return net.sockets[-1]

        net.socket = meet
        flash = _Flash(self.files, power)
        for writes in (credentials, store, device_file, notes):
            fakes.replace(writes, "open", flash.open)
        for writes in (credentials, store, device_file):
            fakes.replace(writes, "os", flash)
        if self.has_nvs:
            fakes.nvs(power).blobs = self.nvs
            self.nvs.stored = boot.stored
        else:
            fakes.module("esp32", None)
            flash.stored = boot.stored
        fakes.replace(gc, "collect", lambda: 0)  # slow on CPython beside Hypothesis
        fakes.replace(port, "pause", clock.sleep_ms)
        fakes.replace(port, "random_bytes", world.random.randbytes)
        fakes.replace(port, "unique_id", lambda: self.mac)
        fakes.replace(tls, "handshake", _REAL_HANDSHAKE)
        fakes.replace(tls, "psk_context", lambda name, key: _PskContext(world, name, key))
        fakes.replace(trust, "context", lambda *_: _Context(world))
        fakes.module(
            "ntptime",
            Namespace(time=lambda: now() // 1000 + world.ntp_is_off_by - port.EPOCH, host="ntp"),
        )
        fakes.replace(log, "level", log.DEBUG)
        fakes.replace(log, "line", lambda name, text: boot.output.append(f"{name} {text}"))


class _Blobs(dict):
    """NVS, which tells what it gets as the record."""

    stored = None

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if key == RECORD:
            self.stored.append(value)


class _Power:
    """Counts steps; at the chosen one the power goes, and nothing at all happens after it."""

    def __init__(self, cut, half):
        self.left, self.half = cut, half
        self.gone = False

    def must_be_on(self):
        if self.gone:
            raise PowerCut

    def step(self, halfway=lambda: None):
        """Before anything that leaves a trace outside of memory. halfway: half of it."""
        self.must_be_on()
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.gone = True
                if self.half:
                    halfway()
                raise PowerCut

    def call(self, what, *_):
        """The corpus' Nvs tells what is done to it; a commit is whole or not at all."""
        self.must_be_on()
        if what == "NVS commit":
            self.step()


class _Flash:
    """In the place of open() and os: files in memory."""

    def __init__(self, files, power):
        self.files, self.power = files, power
        self.stored = []

    def open(self, path, mode="r"):
        self.power.must_be_on()
        if "w" in mode:
            return _Written(self, path)
        if path not in self.files:
            raise OSError(2)
        return io.BytesIO(self.files[path])

    def put(self, path, data):
        self.power.step(lambda: self.files.__setitem__(path, data[: len(data) // 2]))
        self.files[path] = data

    def rename(self, old, new):
        self.power.step(lambda: self.files.pop(new, None))  # as FAT does it
        self.files[new] = self.files.pop(old)
        if new == RECORD_FILE:
            self.stored.append(self.files[new])

    def remove(self, path):
        self.stat(path)
        self.power.step()
        del self.files[path]

    def stat(self, path):
        self.power.must_be_on()
        if path not in self.files:
            raise OSError(2)
        return (0,) * 6 + (len(self.files[path]),) + (0,) * 3

    def mkdir(self, path):
        pass

    def sync(self):
        pass


class _Written(io.BytesIO):
    """A file that is in the flash once it is closed."""

    def __init__(self, flash, path):
        super().__init__()
        self._flash, self._path = flash, path

    def close(self):
        if not self.closed:
            data = self.getvalue()
            super().close()
            if not self._flash.power.gone:
                self._flash.put(self._path, data)


class _Context:
    """A verified certificate, without the arithmetic: is the clock within its dates?"""

    def __init__(self, world):
        self.world = world

    def wrap_socket(self, wire, server_hostname):
        if self.world.takes("portal"):
            raise ValueError("The certificate is not correctly signed by the trusted CA")
        now = port.unix_ms() // 1000
        if now < _CERTIFICATE[0]:
            raise ValueError("The certificate validity starts in the future")
        if now > _CERTIFICATE[1]:
            raise ValueError("The certificate validity has expired")
        wire.raw._peer.security = "certificate"
        return wire


class _PskContext:
    """TLS-PSK: both ends have the same key, or there is no session."""

    def __init__(self, world, name, key):
        self.world, self.name, self.key = world, name.decode(), key

    def wrap_socket(self, wire, server_hostname):
        cloud = self.world.cloud
        row = cloud.tables.device_by_client_id(self.name) if cloud.psk else None
        if row is None or row.psk is None or a2b_base64(row.psk) != bytes(self.key):
            raise OSError(-0x7780, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE")
        wire.raw._peer.security, wire.raw._peer.identity = "psk", self.name
        return wire


class _Peer(fakes.Peer):
    """The other end of each connection: gateway, broker or the gateway's plain port."""

    def __init__(self, world, boot, power, now):
        super().__init__()
        self.world, self.boot, self.power, self.now = world, boot, power, now
        self.security, self.identity = "none", None
        self.framer, self.device = framing.Framer(), None
        self._down = None

    @property
    def fault(self):
        if self._down is None and self.address:  # asked for twice, to be answered alike
            self._down = self.world.takes("unreachable")
        return OSError(111) if self._down else None

    @fault.setter
    def fault(self, value):
        pass

    def got(self, segment):
        self.power.step()
        self.segments.append(segment)
        if self.address[1] in (8883, 1883):
            self.framer.feed(segment)
            frame = self.framer.next()
            while frame:
                self._packet(packets.decode(frame))
                frame = self.framer.next()
        elif clouds.http_request(self.sent):
            self._request(*clouds.http_request(self.sent))
        self.power.step()  # the cloud has it, the board has no answer yet

    def _request(self, headers, body):
        if "content-length" not in headers:
            self.say(b"HTTP/1.0 200 OK\r\nDate: " + _date(self.now()) + b"\r\n\r\n")
            return
        self.boot.asked = True
        reply, name = self.world.cloud.request(
            headers, body, self.now() / 1000, self.world.takes("busy")
        )
        if name:
            self.boot.grants += 1
        if name and self.world.takes("lost reply"):
            self.boot.lost += 1
            reply = b""
        if reply:
            self.say(reply)
        self.say(END)

    def _packet(self, packet):
        if isinstance(packet, packets.Connect):
            code, self.device = self.world.cloud.connect(
                packet, login.Peer(self.security, None, self.identity), self.now() / 1000
            )
            if self.device:
                self.boot.logins.append((self.device.name, self.device.psk))
            if code is None or (self.device and self.world.takes("lost CONNACK")):
                self.say(END)
            else:
                self.say(framing.connack(code))
                if code:
                    self.say(END)
        elif self.device:
            told = self.now() + self.world.cloud_is_off_by * 1000
            self.say(clouds.answer(self.device, packet, told))


def _date(ms):
    return formatdate(ms / 1000, usegmt=True).encode()
