"""The first boot: room made, registered, stored twice and read back; all before any login."""

from . import log, port
from .errors import StorageError


def run(device):
    """Registers device unless it is; takes the product secret off it where that is asked for."""
    info = device.info
    if not info.credential:
        _prepare(info)
        from . import registration

        credential = registration.register(info, device.history["day"])
        del registration
        port.forget("registration", "link", "wire", "clock")
        _store(info, credential)
        device.registered_now = True
    from . import credentials

    try:
        if info.burn and credentials.burn(info):
            log.info("register: the product secret is off this board now")
    except StorageError as error:
        log.error("register: the product secret stays on this board: %s" % error)
    del credentials
    port.forget("credentials", "device_file", "record", "board", "clock")


def _prepare(info):
    from . import trust

    for endpoint in (info.gateway, info.mqtt):
        if endpoint.ca:  # a mistake in either shows now, while nothing is written yet
            trust.Trust(endpoint.ca, ()).context()
    del trust
    port.forget("trust", "board", "clock")
    from . import credentials

    credentials.prepare(info)
    log.info("register: %s asks %s" % (info.device_name, info.gateway))
    if not info.gateway.secure:
        log.warning("register: the connection is not encrypted, as device_info.json asks")
    del credentials
    port.forget("credentials", "device_file", "record", "board", "clock")


def _store(info, credential):
    from . import credentials, record

    log.info("register: credential %s obtained" % credentials.fingerprint(credential))
    # Stored and read back before the first login: after it the cloud gives no other.
    credentials.store(info, credential)
    log.info("register: stored in %s and in %s" % (info.path, record.where(info.path)))
