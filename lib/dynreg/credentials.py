"""The device's credential in flash, twice, so that no power cut and no redeploy can lose it.

Copy one is device_info.json, where people expect it: key_deviceinfo.deviceSecret, or the files
named in cert_deviceinfo, with a check beside it. Copy two is record.py's. Each is bound to
product id and device name. Source of the rules: docs/credentials.md.
"""

import hashlib
import json
from binascii import hexlify

from . import clock, log, port, record
from .device_file import blank, read
from .errors import ConfigError, StorageError

NONE, UNCHECKED, GOOD, BAD = "missing", "unchecked", "good", "damaged"
_ROOM = {"KEY": 512, "CERT": 6144}  # bytes that a credential takes, with much to spare


def load(info):
    """Sets info.credential from the good copy and heals the other; None before registration.

    ConfigError: the second copy is another product's or name's. StorageError: both are damaged,
    or they are two different ones. Then both are left as they are.
    """
    state, value = in_file(info)
    second, kept = in_record(info)
    if GOOD in (second, state) or state == UNCHECKED:
        if second == GOOD and state in (GOOD, UNCHECKED) and kept != value:
            raise StorageError(
                "storage.two",
                "%s holds credential %s, the second copy holds %s: put YOUR_… into the file to "
                "keep the second, or forget() both"
                % (info.path, fingerprint(value), fingerprint(kept)),
            )
        if state == UNCHECKED and second == NONE and info.mode == "CERT" and info.product_secret:
            return  # the device's own certificate, still to be registered
        info.credential = kept if second == GOOD else value
        if (state, second) != (GOOD, GOOD):
            _heal(info, state, second)
    elif BAD in (second, state):
        raise StorageError(
            "storage.damaged",
            "the credential in %s is %s and the second copy %s: restore the file from a backup, "
            "or forget() both and delete the device in the console" % (info.path, state, second),
        )


def in_file(info):
    """(state, credential) of the copy in device_info.json."""
    values = read(info.path)
    section = values.get(info.section) or {}
    value = None
    if info.mode == "KEY":
        value = section.get("deviceSecret")
        value = None if blank(value) else value
    elif not blank(section.get("devCertFile")):
        try:
            value = own_certificate(info)
        except (OSError, ValueError):
            return BAD, None
    check = section.get("check")
    if value is None:
        return NONE, None
    if not check:
        return UNCHECKED, value
    return (GOOD, value) if check == _check(info, value) else (BAD, None)


def own_certificate(info):
    """(certificate, key), PEM, as the files named in cert_deviceinfo hold them; OSError."""
    for path in (info.cert_file, info.key_file):
        record.recover(path)
    return tuple(record.contents(path).decode() for path in (info.cert_file, info.key_file))


def in_record(info):
    """(state, credential) of the second copy, which knows info.registered_at as well.

    ConfigError where it is somebody else's.
    """
    try:
        data = record.read(info.path)
        if data is None:
            return NONE, None
        owner, when, *parts = json.loads(data)
        if len(parts) not in (1, 2) or not isinstance(when, int):
            raise ValueError
        if not all(part and isinstance(part, str) for part in [owner] + parts):
            raise ValueError
    except (StorageError, ValueError, TypeError):
        return BAD, None
    if owner != _owner(info):
        raise ConfigError(
            "config.other",
            "%s says %s, but this board is registered as %s: bring its own file back, or "
            "Device.forget() first" % (info.path, _owner(info), owner),
        )
    if (len(parts) == 1) != (info.mode == "KEY"):
        raise ConfigError(
            "config.other",
            "%s: auth_mode is %s, but this board is registered in the other mode: change it "
            "back, or Device.forget() first" % (info.path, info.mode),
        )
    info.registered_at = when
    return GOOD, parts[0] if len(parts) == 1 else tuple(parts)


def prepare(info):
    """Makes sure that the flash will take a credential, before the cloud is asked for one."""
    try:
        room = len(record.contents(info.path)) + _ROOM[info.mode]
        record.trial_file(info.path + ".try", room)
        record.trial(info.path, _ROOM[info.mode])
    except OSError as error:
        raise StorageError(
            "storage.full", "%s cannot be written (%r): make room first" % (info.path, error)
        ) from None


def store(info, value):
    """Keeps value (device secret, or certificate and key as PEM) twice, read back each time.

    The second copy first: from then on the board is registered, whenever the power goes.
    StorageError where the flash does not take one of them; the other is written all the same.
    """
    info.credential = value
    info.registered_at = clock.unix_time()
    try:
        _store_record(info)
    finally:
        _store_file(info)


def forget(info, confirm):
    """Erases both copies. A cut in between leaves one whole, which heals the other.

    confirm: the product id, the file's or that of whom the board is registered as; else
    ConfigError.
    """
    allowed = [info.product_id]
    try:
        allowed.append(json.loads(record.read(info.path) or b"")[0].split("/")[0])
    except (StorageError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        pass  # no record, or none that says whose it is
    if confirm not in allowed:
        raise ConfigError("argument", "forget: confirm with the product id, nothing was erased")
    record.erase(info.path)
    if info.mode == "KEY":
        _edit(info, info.section, {"deviceSecret": "YOUR_DEVICE_SECRET", "check": ""})
    else:
        _edit(info, info.section, {"devCertFile": "YOUR_DEVICE_CERT_FILE_NAME", "check": ""})
    info.credential = None


def burn(info):
    """Takes the product secret off the board; True when it did. Only once both copies are good."""
    if not info.product_secret or in_file(info)[0] != GOOD or in_record(info)[0] != GOOD:
        return False
    _edit(info, None, {"productSecret": ""})
    info.product_secret = None
    return True


def _heal(info, state, second):
    try:
        if second != GOOD:
            _store_record(info)
            log.warning("credential: the second copy was %s, healed" % second)
        if state != GOOD:
            _store_file(info)
            log.warning("credential: the copy in %s was %s, healed" % (info.path, state))
    except (StorageError, OSError) as error:  # one good copy is enough to go on with
        log.error("credential: cannot be healed: %s" % error)


def _store_record(info):
    value = info.credential
    parts = [value] if isinstance(value, str) else list(value)
    record.write(info.path, json.dumps([_owner(info), info.registered_at] + parts).encode())


def _store_file(info):
    value = info.credential
    try:
        changes = {"check": _check(info, value)}
        if info.mode == "KEY":
            changes["deviceSecret"] = value
        else:
            for path, part in zip((info.cert_file, info.key_file), value):  # noqa: B905
                record.put(path, part.encode())
            changes["devCertFile"] = info.cert_file
            changes["devPrivateKeyFile"] = info.key_file
        _edit(info, info.section, changes)
    except OSError as error:
        raise StorageError("storage", "%s cannot be written: %r" % (info.path, error)) from None


def _edit(info, section, changes):
    from . import device_edit

    device_edit.change(info.path, section, changes)
    del device_edit
    port.forget("device_edit")


def _owner(info):
    return info.product_id + "/" + info.device_name


def fingerprint(value):
    """Eight hex digits to tell credentials apart by; nothing can be learnt from them."""
    return hexlify(hashlib.sha256(_text(value).encode()).digest()[:4]).decode()


def _text(value):
    return value if isinstance(value, str) else "".join(value)


def _check(info, value):
    return fingerprint(_owner(info) + "\n" + _text(value))
