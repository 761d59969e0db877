"""dynreg from an asyncio program: its calls share the loop, and wait while other tasks run.

    from dynreg import Device
    from dynreg.services import aio


    async def main():
        async with aio.Client(Device(), attempts=0) as cloud:
            await cloud.subscribe("control")
            await cloud.publish("event", '{"alive":1}', 1)
            async for topic, message in cloud:
                print(topic, message)


    aio.run(main())

The modules beneath are the same. Wherever they wait (port.wait, port.pause, port.idle), the loop's
other tasks run meanwhile, from within that wait; on CPython the call has a thread of its own.
"""

import asyncio

from micropython import const

from .. import log, port
from ..connect import link
from ..errors import NetworkError

try:
    from asyncio import core  # pyright: ignore (MicroPython's own)
except ImportError:
    core = None

_STEP_S = 0.01  # how often a wait looks whether it is over
_STEP_MS = const(10)
_TURNS = const(25)  # of two steps each until poll() is due, for keep-alive and reconnect
_SLICE_MS = const(100)  # what a socket's own call may take, connect() or send()
_MOST = const(64)  # messages that wait for message()

_real_wire = link.Wire
_waiting = []  # the client that is in a wait of dynreg's
_over = []  # not empty once the main task has ended


def run(main):
    """asyncio.run(main), which also ends where main does while dynreg waits in another task."""
    return asyncio.run(_run(main))


async def _run(main):
    try:
        return await main
    finally:
        _over.append(1)
        while _waiting:
            await asyncio.sleep(_STEP_S)
        _over.pop()


def _wire(raw, until):
    """link.Wire, whose socket takes less time for itself."""
    wire = _real_wire(raw, until)
    raw.settimeout(_SLICE_MS / 1000)
    wire.was_slow = lambda ticks: port.ticks_diff(port.ticks_ms(), ticks) >= _SLICE_MS - 10
    return wire


class Client:
    """A Device and its session; keepalive, attempts: as Device.connect() has them.

    Calls of several tasks have their turns, one after the other. Cancelled, a call ends at its
    next wait: between packets the session goes on, within one the connection ends and is made
    anew. session: None before connect().
    """

    def __init__(self, device, keepalive=60, attempts=1):
        self.device = device
        self.session = None
        self._how = keepalive, attempts
        self._inbox = []
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task = self._error = None
        self._cancelled = False
        self._yielded = 0  # ticks_ms when other tasks ran last

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *_):
        await self.disconnect()

    async def connect(self):
        """Device.connect(); from then on a task of its own keeps the session alive."""
        self.session = await self.call(self.device.connect, *self._how)
        self._error = None
        if not self._task:
            self._task = asyncio.create_task(self._serve())

    async def disconnect(self):
        """Session.disconnect(); whatever happens, nothing of it runs any more then."""
        task, self._task = self._task, None
        try:
            if task:
                task.cancel()
                await task
        except asyncio.CancelledError:
            pass
        if self.session:
            try:
                await self.call(self.session.disconnect)
            finally:
                self.session.close()

    async def publish(self, *args, **how):
        """Session.publish(); NetworkError before connect()."""
        await self.call(lambda: self._there().publish(*args, **how))

    async def subscribe(self, name, qos=0):
        """Session.subscribe(); what comes is had by message()."""
        await self.call(lambda: self._there().subscribe(name, self._arrived, qos))

    def _there(self):
        if not self._task:
            raise self._error or NetworkError("network.closed", "not connected")
        return self.session

    async def message(self):
        """The next (topic, message); 64 wait at most, what comes on top is logged and dropped.

        DynregError where the session has ended for good: what only a person can mend on the board,
        or NetworkError after disconnect() and before connect().
        """
        while not self._inbox:
            self._there()
            self._news.clear()
            await self._news.wait()
        return self._inbox.pop(0)

    def __aiter__(self):
        return self

    __anext__ = message

    async def call(self, function, *args, **how):
        """function(*args, **how), whatever of dynreg it calls, as other tasks run.

        As await cloud.call(device.sync_clock), or await cloud.call(queue.send, cloud.session). Its
        errors are the function's.
        """
        async with self._turn:
            real = port.wait, port.pause, port.idle
            self._user_idle = port.idle
            port.wait, port.pause, port.idle = self._wait, self._yield, self._yield
            link.Wire = _wire
            try:
                if core:
                    return function(*args, **how)
                return await self._in_thread(lambda: function(*args, **how))
            finally:
                port.wait, port.pause, port.idle = real
                link.Wire = _real_wire

    async def _serve(self):
        session = self.session
        try:
            while True:
                for _ in range(_TURNS):
                    if session.connected and not self._turn.locked() and session.link.ready(0):
                        break
                    await asyncio.sleep(2 * _STEP_S)
                await self.call(session.poll)
                if self._inbox:
                    self._news.set()
        except Exception as error:
            self._error = error
            self._task = None
            log.error("aio: %r" % error)
        finally:
            self._news.set()

    def _arrived(self, topic, message):
        if len(self._inbox) < _MOST:
            self._inbox.append((topic, message))
        else:
            log.warning("message on %s skipped: 64 wait" % topic)

    async def _in_thread(self, function):
        self._loop = asyncio.get_running_loop()  # pyright: ignore (CPython's)
        future = self._loop.run_in_executor(None, function)
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                self._cancelled = True
        if self._cancelled:
            self._cancelled = False
            future.exception()  # seen
            raise asyncio.CancelledError
        return future.result()

    def _wait(self, poll, ms):
        if poll.poll(0):
            if port.ticks_diff(port.ticks_ms(), self._yielded) < _STEP_MS:
                return True
            ms = 0
        self._yield(ms, lambda: poll.poll(0))  # pyright: ignore
        return bool(poll.poll(0))

    def _yield(self, ms=0, over=bool):
        """Runs other tasks until over(), which bool() never is, or for ms milliseconds."""
        task = core and core.cur_task
        end = port.ticks_add(port.ticks_ms(), ms)

        def ended():
            # cancel() leaves its mark in .data of a task that does not sleep.
            return _over or self._cancelled or (task and task.data)

        async def wait():
            self._user_idle()
            while not ended() and not over() and port.ticks_diff(end, port.ticks_ms()) > 0:
                await asyncio.sleep(_STEP_S)
                self._user_idle()

        _waiting.append(self)
        try:
            if core:
                core.run_until_complete(core.create_task(wait()))
            else:
                asyncio.run_coroutine_threadsafe(wait(), self._loop).result()
        finally:
            _waiting.pop()
            self._yielded = port.ticks_ms()
            if task:
                core.cur_task = task
        if ended():
            if task:
                task.data = None
            raise asyncio.CancelledError
