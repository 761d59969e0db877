"""Who may look at what was written."""

import os
import stat
from contextlib import contextmanager

UMASKS = [0o000, 0o022]


@contextmanager
def umask(mask):
    """This process's umask, for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def readable(*folders):
    """All that others may read, write or enter, {path: mode}; the folders themselves too."""
    found = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & 0o077 and not path.is_symlink():
                found[path] = oct(mode)
    return found
