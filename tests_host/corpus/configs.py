"""A device_info.json, right or wrong, as the tests of what is in it read it."""

import json

import fakes
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError


def wrong(says, **changes):
    """The ConfigError for a device_info.json with these changes; it names the file and says."""
    return wrong_file(json.dumps(fakes.values(**changes)), says)


def wrong_file(data, says):
    path = fakes.write(fakes.folder() + "/device_info.json", data)
    error = fakes.raises(ConfigError, DeviceInfo, path, code="config", says=path)
    for word in says:
        assert word in str(error), (word, str(error))
    return error


def right(**changes):
    return DeviceInfo(fakes.device_info(**changes))
