"""uvicorn's HTTP/1.1 on the connections of a Listener, with time limits, in the hub's own loop.

uvicorn.Server is not used: it takes 0.2 s to stop and has no limit on the time of a request head.
"""

import asyncio
import logging
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

HEAD_LIMIT = 16 * 1024
_QUIET = logging.getLogger(f"{__name__}.uvicorn")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class Port:
    """Serves `app` on connections handed to it by a Listener.

    `limit` is the most seconds for a request head, and between two requests on a connection.
    """

    def __init__(self, app: ASGIApp, limit: float) -> None:
        self._limit = limit
        self._config = Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=HEAD_LIMIT,
        )
        self._config.load()

    async def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection to its end.

        Called before the transport has given a byte to the reader, so that nothing is lost.
        """
        transport = writer.transport
        streams = transport.get_protocol()
        state = ServerState()
        protocol = _Protocol(self._config, state, self._limit)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        try:
            await protocol.ended.wait()
        finally:
            for task in tuple(state.tasks):
                task.cancel()
            streams.connection_lost(None)  # it is told no longer, and the Listener waits for it
            await asyncio.gather(*state.tasks, return_exceptions=True)


class _Protocol(H11Protocol):
    """A connection that ends when a request head takes too long to arrive."""

    def __init__(self, config: Config, state: ServerState, limit: float) -> None:
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self.logger = _QUIET
        self.ended = asyncio.Event()
        self._limit = limit
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._restart_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer:
            self._timer.cancel()
        self._unset_keepalive_if_required()
        self.ended.set()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._restart_timer()

    def _restart_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(self._limit, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
