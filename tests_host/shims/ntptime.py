"""MicroPython's ntptime module: the time server says what tests put into `answer`.

answer: seconds since the platform's epoch, or the exception to raise.
"""

import errno

answer = OSError(errno.ETIMEDOUT)


def time():
    if isinstance(answer, Exception):
        raise answer
    return answer
