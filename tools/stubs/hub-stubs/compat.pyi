from typing import Any

class Time:
    """time, in Unix seconds."""

    coarse: bool
    def __init__(self, module: Any) -> None: ...
    def time(self) -> int: ...
    def gmtime(self, seconds: float | None = None) -> tuple[int, ...]:
        """The time's tuple. A coarse float that may be now is now: the clock is exact."""
    def localtime(self, seconds: float | None = None) -> tuple[int, ...]:
        """The time's tuple. A coarse float that may be now is now: the clock is exact."""
    def mktime(self, when: tuple[int, ...]) -> int: ...
    def strftime(self, text: str, when: tuple[int, ...] | None = None) -> str:
        """%Y %m %d %H %M %S of a time's tuple, now's without; %% is a percent sign."""

class Sys:
    """sys, with _getframe().f_code.co_name: the name of the callback that runs."""
    def __init__(self, module: Any) -> None: ...
    @property
    def f_code(self) -> Sys: ...
    @property
    def co_name(self) -> str: ...
