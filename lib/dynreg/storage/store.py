"""Writing the credential: twice, so that no power cut and no redeploy can lose it.

credentials.py says what the copies are and reads them; docs/credentials.md has the rules.
"""

import ujson as json
import uos as os
from micropython import const
from ubinascii import crc32

from .. import log, port
from ..errors import ConfigError, StorageError
from . import credentials

_SPARE = {"KEY": 512, "CERT": 4096}  # bytes that a credential takes, with some to spare
_PIECE = const(256)
_KEY = const("credential")
_NOT_FOUND = const(-4354)  # ESP_ERR_NVS_NOT_FOUND


def prepare(info):
    """Makes sure that the flash will take a credential, before the cloud is asked for one."""
    spare = _SPARE[info.mode]
    try:
        _trial_file(info.path + ".try", max(0, credentials.size(info.path)) + spare)
        if not _trial_nvs(spare):
            _trial_file(credentials.record_file(info.path) + ".try", spare)
    except OSError as error:
        raise StorageError(
            "storage.full", "%s cannot be written (%r): make room first" % (info.path, error)
        ) from None


def _trial_nvs(spare):
    """Whether this board has NVS with so many bytes of room."""
    try:
        nvs = port.nvs()
        if nvs:
            nvs.set_blob("trial", bytes(spare))
            nvs.commit()
            nvs.erase_key("trial")
            nvs.commit()
        return nvs
    except OSError as error:
        log.warning("NVS takes no %d bytes (%r): a file takes them" % (spare, error))
        return None


def store(info, value):
    """Keeps value (device secret, or certificate and key as PEM) twice, read back each time.

    The second copy first: from then on the board is registered, whenever the power goes.
    StorageError where the flash does not take one of them; the other is written all the same.
    """
    log.info("register: credential %s obtained" % credentials.fingerprint(value))
    info.credential = value
    info.registered_at = port.unix_time()
    try:
        _store_record(info)
    finally:
        _store_file(info)
    log.info("register: stored in %s and in %s" % (info.path, credentials.place(info.path)))


def heal(info, state, second):
    """Writes a copy again that is not well: "missing", "damaged" …; None: it is good."""
    try:
        if second:
            _store_record(info)
            log.warning("credential: the second copy was %s, healed" % second)
        if state:
            _store_file(info)
            log.warning("credential: the copy in %s was %s, healed" % (info.path, state))
    except (StorageError, OSError) as error:  # one good copy is enough to go on with
        log.error("credential: cannot be healed: %s" % error)


def forget(info, confirm):
    """Erases both copies, what was noted, and the private key; all read back.

    A cut in between leaves one copy whole, which heals the other.
    confirm: the product id, the file's or that of whom the board is registered as; else
    ConfigError.
    """
    allowed = [info.product_id]
    try:
        allowed.append(json.loads(credentials.record(info.path) or b"")[0].split("/")[0])
    except (StorageError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        pass  # no record, or none that says whose it is
    if confirm not in allowed:
        raise ConfigError("argument", "forget: confirm with the product id, nothing was erased")
    _erase_record(info.path)
    if info.mode == "KEY":
        change(info.path, info.section, {"deviceSecret": "YOUR_DEVICE_SECRET", "check": ""})
    else:
        change(info.path, info.section, {"devCertFile": "YOUR_DEVICE_CERT_FILE_NAME", "check": ""})
        _remove(info.key_file)
    info.credential = None
    log.warning("credential: both copies erased")


def burn(info):
    """Takes the product secret off the board. Only once both copies are good."""
    try:
        change(info.path, None, {"productSecret": ""})
        info.product_secret = None
        log.info("register: the product secret is off this board now")
    except StorageError as error:
        log.error("register: the product secret stays on this board: %s" % error)


def _store_record(info):
    value = info.credential
    parts = [value] if isinstance(value, str) else list(value)
    _write_record(info.path, json.dumps([info.owner, info.registered_at] + parts).encode())


def _write_record(path, data):
    """Puts data in NVS in one step, else in the record's file, and reads it back. StorageError."""
    data = crc32(data).to_bytes(4, "big") + data
    own = credentials.record_file(path)
    try:
        nvs = port.nvs()
        if nvs:
            try:
                nvs.set_blob(_KEY, data)
                nvs.commit()
            except OSError as error:
                log.warning("NVS takes no %d bytes (%r): %s does" % (len(data), error, own))
                nvs = None
        if not nvs:
            replace(own, data)
            _erase_nvs(_KEY)  # only now; what it held is older, and would be read first
        elif credentials.from_nvs() != data:
            raise StorageError("storage", "NVS does not read back as written")
        else:
            _remove(own)
    except OSError as error:
        raise StorageError("storage", "the second copy cannot be written: %r" % error) from None


def _erase_record(path):
    own = credentials.record_file(path)
    try:
        for file in (own, own[:-3] + "notes"):
            _remove(file)
        for key in (_KEY, "notes"):
            _erase_nvs(key)
        if port.nvs() and credentials.from_nvs() is not None:
            raise OSError("still there")
    except OSError as error:
        raise StorageError("storage", "%s stays: %r" % (credentials.place(path), error)) from None


def _erase_nvs(key):
    nvs = port.nvs()
    if nvs:
        try:
            nvs.erase_key(key)
            nvs.commit()
        except OSError as error:
            if error.args[0] != _NOT_FOUND:
                raise


def _remove(path):
    for file in (path + ".tmp", path):  # what recover() would bring back goes first
        if credentials.size(file) >= 0:
            try:
                os.remove(file)
            except OSError:
                pass
            if credentials.size(file) >= 0:
                raise StorageError("storage", "%s stays: is the flash read-only?" % file)


def _store_file(info):
    value = info.credential
    try:
        changes = {"check": credentials.check(info, value)}
        if info.mode == "KEY":
            changes["deviceSecret"] = value
        else:
            for path, part in zip((info.cert_file, info.key_file), value):  # noqa: B905
                put(path, part.encode())
            changes["devCertFile"] = info.cert_file
            changes["devPrivateKeyFile"] = info.key_file
        change(info.path, info.section, changes)
    except OSError as error:
        raise StorageError("storage", "%s cannot be written: %r" % (info.path, error)) from None


def change(path, section, changes):
    """Sets changes (str by key) in the object section of the JSON file at path, None: at the top.

    All else in it, known or not, and its layout stay. StorageError where the flash does not take
    it, or where the file cannot be written anew: then it stays as it was.
    """
    text = credentials.contents(path).decode()
    values = json.loads(text)
    if section and not values.get(section):
        values[section] = {}
    (values[section] if section else values).update(changes)
    for key in changes:
        text = _spliced(text, section, key, changes[key])
    try:
        if json.loads(text) != values:
            raise ValueError
    except ValueError:  # a layout that we do not understand: correct beats pretty
        text = _anew(path, values)
    try:
        replace(path, text.encode())
    except OSError as error:
        raise StorageError("storage", "%s cannot be written: %r" % (path, error)) from None


def _anew(path, values):
    try:
        text = json.dumps(values)
        json.loads(text)  # a number beyond the float's range comes out as inf, which is no JSON
        return text
    except (ValueError, RuntimeError):
        raise StorageError(
            "storage", "%s holds what cannot be written anew: make it simpler" % path
        ) from None


def _spliced(text, section, key, value):
    brace = text.find("{", text.find('"%s"' % section) if section else 0)
    at = text.find('"%s"' % key, brace)
    if at >= 0 and (not section or at < text.find("}", brace)):
        first = text.find('"', text.find(":", at)) + 1
        return text[:first] + value + text[text.find('"', first) :]
    stop = brace + 1
    while text[stop : stop + 1] in (" ", "\r", "\n", "\t"):
        stop += 1
    comma = "" if text[stop : stop + 1] == "}" else "," + text[brace + 1 : stop]
    return text[:stop] + '"%s": "%s"%s' % (key, value, comma) + text[stop:]


def put(path, data):
    """replace(), unless the file holds data already; makes the folder."""
    try:
        if credentials.contents(path) == data:
            return
    except OSError:
        folder = path.rsplit("/", 1)[0]
        if folder and credentials.size(folder) < 0:
            os.mkdir(folder)
    replace(path, data)


def replace(path, data):
    """The file at path holds data (bytes) or what it held before, whenever the power goes.

    A temporary file, read back, renamed, read back. On FAT the rename takes the old file away
    first; credentials.recover() knows. StorageError, and OSError as the file system gives it.
    """
    temporary = path + ".tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    sync()
    _compare(temporary, data)
    os.rename(temporary, path)
    sync()
    _compare(path, data)


def _compare(path, data):
    if credentials.contents(path) != data:
        raise StorageError("storage", "%s does not read back as written" % path)


def _trial_file(path, size):
    """Writes a file of size bytes and takes it away; OSError where it cannot be."""
    try:
        with open(path, "wb") as file:
            while size > 0:
                size -= file.write(bytes(min(size, _PIECE)))
    finally:
        if credentials.size(path) >= 0:
            os.remove(path)


def sync():
    """Asks the system to write the flash out, where that can be asked."""
    if hasattr(os, "sync"):
        os.sync()
