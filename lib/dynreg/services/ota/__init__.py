"""Updates over the air: an application as a bundle, beside the one that runs (docs/ota.md).

    from dynreg.services import ota

    updater = ota.Updater(session)
    while True:
        session.poll(1000)
        updater.poll()

and updater.confirm() once a new program knows that it works.
"""

import ujson as json
import uos as os
from micropython import const
from ubinascii import crc32

from ... import log, port
from ...errors import DynregError

_STATE = const("/ota.state")  # all there is to know, replaced in one step; the boot stub reads it
_PART = const("/ota.part")  # what has come of a file
_AWAY_MS = const(120000)  # of a download at a time: then progress is told and messages are taken
_PAUSE_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_HOUR_MS = const(3600000)
_TRIES = const(6)  # that bring not one byte, before an update is given up
# What the cloud calls it (docs/protocol.md, 7); -1 of what a network does, -5 of the rest.
_RESULTS = {"ota.missing": -2, "ota.denied": -3, "ota.hash": -4}


class Updater:
    """Takes the updates of one session's device. No network is needed to make one.

    version: of the program that runs. trial: whether it is still to be confirmed; else it goes
    when its time or its number of starts is over, and the one before comes back.
    """

    def __init__(self, session):
        self.session = session
        self.failures = 0
        self._since = self._until = self._restart = None
        self._later = now = port.ticks_ms()
        self._know(_read())
        if self.trial and self.state["seconds"]:
            self._until = port.ticks_add(now, self.state["seconds"] * 1000)
        if not self.state.get("job"):
            _remove()

    def confirm(self):
        """Keeps the program that runs. The cloud is told so when it can be.

        The boot stub's watchdog, which nothing can stop, ends with a restart: poll() does it.
        """
        if self.trial:
            self._restart = self.state["seconds"]
            self._until = self._since = None  # the version is told anew: the cloud asks again
            self._keep(tell=[self.version, 0, ""])
            log.info("ota: %s is confirmed" % self.version)

    def poll(self):
        """Does what is due: tells the cloud, fetches, switches. Call it beside session.poll().

        A download closes the session, 2 minutes at a time, since a board has no memory for two
        TLS connections; session.poll() makes it anew. Nothing that a network or a server does
        comes out; StorageError where the flash does not take the state.
        """
        now = port.ticks_ms()
        session, state = self.session, self.state
        if self._until is not None and port.ticks_diff(now, self._until) >= 0:
            self.back()
        # No wait is longer than an hour; after six days the difference turns its sign.
        if not session.connected or 0 < port.ticks_diff(self._later, now) <= _HOUR_MS:
            return
        since = session.since
        try:
            if self._since != since:
                topic = "$ota/update/" + session.info.owner
                if topic not in session.callbacks:
                    session.subscribe(topic, self._arrived, 1)
                self._tell()
                self._since = since
            elif self._restart:
                self._reset()
            elif state.get("job"):
                self._work(state["job"])
        except DynregError as error:
            if not error.retry:
                raise
            self._wait(error)

    def _wait(self, error):
        self.failures += 1
        wait = port.step("connect.backoff", "wait_ms", self.failures, error)
        log.warning("ota: %s [%s]; again in %d s" % (error, error.code, wait // 1000))
        self._later = port.ticks_add(port.ticks_ms(), wait)

    def _arrived(self, _, message):
        """What it does not understand the session logs."""
        told = json.loads(message)
        if told["type"] != "update_firmware":
            return
        job = {name: str(told[name]) for name in ("version", "md5sum", "url")}
        job["file_size"] = int(told["file_size"])  # pyright: ignore
        version = job["version"]
        if not 0 < len(version) < 33:
            raise ValueError(version)
        if self.trial:
            log.warning("ota: %s waits until %s is confirmed" % (version, self.version))
        elif version == self.version:
            self._failed(version, -5, "it is the running version")
        else:
            before = self.state.get("job") or {}
            if dict(before, url=job["url"]) != job:  # an URL's signature expires
                log.info("ota: %s comes, %d bytes" % (version, job["file_size"]))
                self.failures = 0
                self._later = port.ticks_ms()
                _remove()
            if before != job:
                self._keep(job=job, tell=self.state.get("tell"))

    def _work(self, job):
        """A part of the download; at its end the switch."""
        version = job["version"]
        size = job["file_size"]
        there = self.there(job)
        try:
            if there < size:
                self._progress(version, "downloading", percent=str(there * 100 // size))
                self.session.disconnect()
                self.session.retry_at = port.ticks_add(port.ticks_ms(), _PAUSE_MS)
                self.fetch(job)
            else:
                self._progress(version, "burning")
                self.apply(job)
                log.info("ota: %s starts" % version)
                self._reset()
        except Exception as error:
            if not isinstance(error, DynregError):
                error = DynregError("memory", repr(error), True)
            if self.there(job) > there:
                self.failures = 0
            if error.retry and self.failures < _TRIES:
                self._wait(error)
            else:
                self._failed(version, -1 if error.retry else _RESULTS.get(error.code, -5), error)

    def there(self, job):
        """How many bytes of job's file have come."""
        try:
            return os.stat(_PART)[6]
        except OSError:
            return 0

    def fetch(self, job, sink=None):
        """Brings job's file nearer to its end. A DynregError with `.retry`: another try may."""
        port.step("services.ota.download", "fetch", self.session, job, _AWAY_MS, sink)

    def apply(self, job):
        """Makes of job's file what starts next."""
        run = self.state.get("run", "a")
        slot = "b" if run == "a" else "a"
        made = port.step("services.ota.unpack", "apply", job, slot)
        self._keep(slot, job["version"], back=[run, self.version], **made)

    def back(self):
        """Starts the program before this one, by a reset; only while trial says so."""
        slot, version = self.state["back"]
        self._keep(slot, version, tell=[self.version, -5, "not confirmed in time"])
        self._reset()

    def _failed(self, version, code, why):
        log.error("ota: %s: %s" % (version, why))
        self._keep(tell=[version, code, str(why)[:128]])
        _remove()
        self._since = None

    def _tell(self):
        """What has become of an update, until the cloud has acknowledged it; then the version.

        In this order: the cloud offers what it takes for open when it hears a version.
        """
        told = self.state.get("tell")
        if told:
            version, code, why = told
            self._progress(version, "fail" if code else "done", code, why)
            if self.state.get("tell") is told:
                self._keep(job=self.state.get("job"))
        self._report("version", {"version": self.version})

    def _progress(self, version, state, code=0, why="", **more):
        more["state"] = state
        more["result_code"] = str(code)
        more["result_msg"] = why
        self._report("progress", {"version": version, "progress": more})

    def _report(self, kind, report):
        message = json.dumps({"type": "report_" + kind, "report": report})
        self.session.publish("$ota/report/" + self.session.info.owner, message, 1)

    def _reset(self):
        from umachine import reset

        self.session.disconnect()
        reset()

    def _keep(self, run=None, version=None, **more):
        """Replaces the state by the program that runs, or by another, and more; StorageError."""
        more["run"] = run or self.state.get("run", "a")
        more["version"] = version or self.version
        data = json.dumps(more).encode()
        port.step("storage.store", "replace", _STATE, b"%08x" % crc32(data) + data)
        self._know(more)

    def _know(self, state):
        self.state = state
        self.version = state.get("version", "0")
        self.trial = "back" in state


def _read():
    """The state; the temporary file is whole where FAT has lost the other."""
    for path in (_STATE, _STATE + ".tmp"):
        try:
            with open(path, "rb") as file:
                data = file.read()
            if int(data[:8], 16) == crc32(data[8:]):
                return json.loads(data[8:])
        except (OSError, ValueError):
            pass
    return {}


def _remove():
    try:
        os.remove(_PART)
    except OSError:
        pass
