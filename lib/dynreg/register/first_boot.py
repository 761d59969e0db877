"""The first boot: space tried, registered, stored twice and read back; all before any login."""

from micropython import const

from .. import log, port
from ..errors import DynregError, RegistrationError

_DEADLINE_MS = const(30000)  # the whole exchange, DNS aside
_OF_THE_TIME = const(("signature", "timestamp", "expire"))


def run(info, day):
    """Registers info's device unless it is, then burns the product secret where that is asked for.

    day: as tls.gateway() has it. Sets info.credential (docs/protocol.md, 2, 3): the device
    secret, base64 text; in certificate mode (certificate, key) as PEM, the device's own pair where
    it brought one. RegistrationError: the cloud's refusal; ProtocolError: a reply that is none;
    StorageError, before the cloud was asked or after; NetworkError, CertificateError, ConfigError.
    """
    if not info.credential:
        for endpoint in (info.gateway, info.mqtt):
            if endpoint.ca:  # a mistake in either shows now, while nothing is written yet
                port.step("connect.trust", "check", endpoint.ca)
        port.step("storage.store", "prepare", info)
        log.info("register: %s asks %s" % (info.device_name, info.gateway))
        # Stored and read back before the first login: after it the cloud gives no other.
        port.step("storage.store", "store", info, register(info, day))
    if info.burn and info.product_secret and port.step("storage.credentials", "both_good", info):
        port.step("storage.store", "burn", info)


def anew(device):
    """Registers once more a device whose stored secret never logged in and is refused; True if so.

    The secret may be stale: somebody registered the name after it was given. The cloud refuses
    this itself for a device that has logged in; then what is stored stays.
    """
    info = device.info
    before = info.credential
    if info.mode != "KEY" or not info.product_secret or device.history["day"] or any(device.ails):
        return False
    log.warning("register: the secret never logged in and is refused: once more")
    info.credential = None
    try:
        run(info, 0)
        device.registered_now = True
    except DynregError as error:
        log.warning("%s [%s]" % (error, error.code))
    info.credential = info.credential or before
    return device.registered_now


def register(info, day):
    """The credential that the cloud gives; each call makes any given before worthless."""
    link = port.step("connect.tls", "gateway", info, day, _DEADLINE_MS)
    until = link.wire.until
    timestamp = port.unix_time()  # only now: the link may have needed a first clock
    try:
        return _post(info, link, timestamp)
    except RegistrationError as error:
        text = (error.cloud_code + error.cloud_message).lower()
        if not any(word in text for word in _OF_THE_TIME):
            raise
        # Without a clock, which a plain link needs none for, one is looked for now.
        if not (timestamp or port.step("connect.tls", "first_clock", info, day)):
            raise
    log.warning(
        "register: signature refused, once more with%s the time" % ("out" if timestamp else "")
    )
    timestamp = 0 if timestamp else port.unix_time()
    left = port.ticks_diff(until, port.ticks_ms())
    return _post(info, port.step("connect.tls", "gateway", info, day, left), timestamp)


def _post(info, link, timestamp):
    try:
        own = None
        if info.mode == "CERT":
            own = port.step("storage.credentials", "in_file", info)[1]
        return port.step("register.gateway", "post", info, own, link, timestamp)
    finally:
        link.drop()
