"""What a test says that got no link of the bench: skipped here, or broken?"""

import subprocess
import sys

import pytest

# Asked without the bench's own code, which may be what is broken.
_PROBE = """
import fcntl, struct
with open("/dev/net/tun", "r+b", buffering=0) as tun:
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"probe0", 0x1001))
"""


def no_link(why):
    """Skips, with why; fails where the machine does give a TUN device in a namespace."""
    command = ["unshare", "-n", sys.executable, "-c", _PROBE]
    try:
        probe = subprocess.run(command, capture_output=True)
    except OSError:
        pytest.skip(str(why))
    if probe.returncode == 0:
        pytest.fail(f"this machine gives TUN devices, but the bench says: {why}")
    pytest.skip(str(why))
