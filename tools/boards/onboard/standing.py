"""Device.status() and .state() without a word of the log in between. Device side."""


def standing():
    """{"text": status(), "state": state() where the library has it}; or {"error", "said"}."""
    try:
        from dynreg import Device, DynregError, log
    except ImportError as error:
        return {"error": "no_library", "said": "%s: 'dynreg deploy' first" % error}
    level, log.level = log.level, 99
    try:
        device = Device()
        return {
            "text": device.status(),
            "state": device.state() if hasattr(device, "state") else None,
        }
    except DynregError as error:
        return {"error": error.code, "said": str(error)}
    finally:
        log.level = level
