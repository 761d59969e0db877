"""Calling something at once or in a while, in the hub's loop."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


def later(wait: float, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call at once, or in `wait` seconds."""
    if wait:
        asyncio.get_running_loop().call_later(wait, lambda: call(*args, **kwargs))
    else:
        call(*args, **kwargs)
