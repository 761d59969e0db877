"""Device.status() and .state() without a line of the log in between. Device side."""


def status():
    """{"text": status(), "state": state() where the library has it}; or {"error", "message"}."""
    try:
        from dynreg import Device, DynregError, log
    except ImportError as error:
        return {"error": "no_library", "message": "%s: 'dynreg deploy' first" % error}
    level, log.level = log.level, 99
    try:
        device = Device()
        return {
            "text": device.status(),
            "state": device.state() if hasattr(device, "state") else None,
        }
    except DynregError as error:
        return {"error": error.code, "message": str(error)}
    finally:
        log.level = level
