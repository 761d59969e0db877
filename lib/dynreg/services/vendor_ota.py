"""The vendor SDK's names for updates, on hub.hub's QcloudHub. Needs services/ota.

    import dynreg.services.vendor_ota

in boot.py or the program, once. The program fetches, checks and stores an image itself, as with
the vendor's; services/ota does all of that, and goes back where the new program does not work.
It brings `enum` and os.path.exists(), which the vendor's sample takes from a desktop's Python.

A download ends the MQTT connection, since a board has no memory for two of TLS; it is made anew
when the file has come.
"""

import uhashlib as hashlib
from hub.hub import QcloudHub
from micropython import const
from ubinascii import hexlify

from .. import log, port
from . import _desktop  # noqa: F401 (enum, os.path.exists())
from ._incoming import Incoming

_PAUSE_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_BACK = const(30)  # seconds until the connection is there again, at most
# What the cloud calls it (docs/protocol.md, 7); -1 of what a network does, -5 of the rest.
_RESULTS = {"ota.missing": -2, "ota.denied": -3}


class _Update:
    """What was announced, and how far it has come."""

    file = job = None
    fetched = since = 0
    fetching = finished = False
    digest = ""

    def __init__(self):
        self.hash = hashlib.md5()


def otaInit(hub, productId, deviceName, callback):
    """callback for each answer to a version that was reported."""

    def arrived(topic, qos, payload, userdata):
        kind = payload["type"]
        if kind == "report_version_rsp":
            callback(topic, qos, payload, userdata)
        elif kind == "update_firmware":
            update = _Update()
            update.job = {  # pyright: ignore
                name: payload[name] for name in ("version", "md5sum", "url", "file_size")
            }
            if not update.job["file_size"] > 0:  # pyright: ignore
                raise ValueError
            update.fetching = True
            hub.ota = update

    hub.ota = _Update()
    hub.ota_topic = "$ota/report/%s/%s" % (productId, deviceName)
    topic = "$ota/update/%s/%s" % (productId, deviceName)
    hub.registerUserCallback(topic, arrived)
    return hub.subscribe(topic, 1)


def otaReportVersion(hub, productId, deviceName, version):
    return _report(hub, "version", {"version": version})


def otaIsFetching(hub, productId, deviceName):
    """Whether an update was announced that is still to come."""
    return hub.ota.fetching


def otaIsFetchFinished(hub, productId, deviceName):
    return hub.ota.finished


def otaIoctlNumber(hub, productId, deviceName, cmdType):
    """(number, "success") or (-1, why).

    cmdType: 0 bytes fetched, 1 the file's size, 4 whether its MD5 is right, which is 0 then; or a
    member of an Enum with these values.
    """
    update = hub.ota
    kind = getattr(cmdType, "value", cmdType)
    number = None
    if update.job:
        number = {0: update.fetched, 1: update.job["file_size"]}.get(kind)
        if kind == 4 and update.finished:
            if update.digest != update.job["md5sum"].lower():
                _progress(hub, "fail", -4, "its MD5")
                return -1, "md5 error"
            number = 0
    return (-1, "state error") if number is None else (number, "success")


def otaIoctlString(hub, productId, deviceName, cmdType, length):
    """(text, "success") or ("null", why). cmdType: 2 the MD5 that was announced, 3 the version."""
    name = {2: "md5sum", 3: "version"}.get(getattr(cmdType, "value", cmdType))
    text = hub.ota.job[name] if hub.ota.job and name else None
    if text is None or len(text) > length:
        return "null", "state error" if text is None else "length error"
    return text, "success"


def otaResetMd5(hub, productId, deviceName):
    hub.ota.hash = hashlib.md5()
    return 0


def otaMd5Update(hub, productId, deviceName, buf):
    """Of what came earlier, where a download goes on."""
    hub.ota.hash.update(buf)
    return 0


def otaDownloadStart(hub, productId, deviceName, offset, size):
    """0; 1 where the file is not to be had, and the cloud is told. size is not used."""
    update = hub.ota
    if not update.fetching:
        return 1
    if not offset:
        update.hash = hashlib.md5()
    update.fetched = offset
    _progress(hub, "downloading", percent=str(offset * 100 // update.job["file_size"]))
    session = hub._device.session
    hub.disconnect()
    update.since = port.ticks_ms()
    try:
        update.file = Incoming(session, update.job, offset)
    except Exception as error:
        _ended(hub, error)
        return 1
    return 0


def otaFetchYield(hub, productId, deviceName, buf_len):
    """(bytes, how many): buf_len or what is left of the file. (None, -2) where it ends early."""
    update = hub.ota
    if not update.file:
        return None, -1
    try:
        data = update.file.read(buf_len)
    except Exception as error:
        _ended(hub, error)
        return None, -2
    update.hash.update(data)
    update.fetched += len(data)
    if not update.file.left:
        update.digest = hexlify(update.hash.digest()).decode()
        update.finished = True
        _ended(hub)
    return data, len(data)


def otaReportUpgradeSuccess(hub, productId, deviceName, version):
    """version: None for the one that was announced."""
    return _progress(hub, "done", version=version)


def otaReportUpgradeFail(hub, productId, deviceName, version):
    return _progress(hub, "fail", -5, "", version)


def _ended(hub, error=None):
    """The file has come, or does not: its link goes, the connection comes back."""
    update = hub.ota
    update.fetching = False
    if update.file:
        update.file.link.drop()
        update.file = None
    port.pause(_PAUSE_MS - port.ticks_diff(port.ticks_ms(), update.since))
    hub.connect()
    for _ in range(_BACK):
        if hub.isMqttConnected():
            break
        port.pause(1000)
    if error:
        log.error("ota: %r" % error)
        passes = getattr(error, "retry", True)
        code = -1 if passes else _RESULTS.get(error.code, -5)
        _progress(hub, "fail", code, str(error)[:128], None, update.job)
    else:
        _progress(hub, "downloading", job=update.job, percent="100")


def _progress(hub, state, code=0, why="", version=None, job=None, **more):
    job = job or hub.ota.job
    more["state"] = state
    more["result_code"] = str(code)
    more["result_msg"] = why
    report = {"version": version or (job and job["version"]), "progress": more}
    return _report(hub, "progress", report)


def _report(hub, kind, report):
    return hub.publish(hub.ota_topic, {"type": "report_" + kind, "report": report}, 1)


QcloudHub.ota = _Update()  # pyright: ignore
QcloudHub.ota_topic = ""  # pyright: ignore
for _function in (
    otaInit,
    otaReportVersion,
    otaIsFetching,
    otaIsFetchFinished,
    otaIoctlNumber,
    otaIoctlString,
    otaResetMd5,
    otaMd5Update,
    otaDownloadStart,
    otaFetchYield,
    otaReportUpgradeSuccess,
    otaReportUpgradeFail,
):
    setattr(QcloudHub, _function.__name__, _function)
