"""An asyncio program: a LED that blinks, and the cloud; neither waits for the other.

{"blinks": 120} on {productId}/{deviceName}/event each minute; {"period_ms": 100} on control.
"""

import asyncio
import json

import machine
from dynreg import ConfigError, Device, DynregError
from dynreg.services import aio

REPORT_S = 60
led = machine.Pin(2, machine.Pin.OUT)
period_ms = 500
blinks = 0


async def blink():
    global blinks
    while True:
        led.value(not led.value())
        blinks += 1
        await asyncio.sleep_ms(period_ms)


async def report(cloud):
    while True:
        try:
            await cloud.publish("event", json.dumps({"blinks": blinks}), 1)
        except ConfigError:
            raise
        except DynregError as error:
            print("app: not reported,", error)
        await asyncio.sleep(REPORT_S)


async def listen(cloud):
    global period_ms
    while True:
        try:
            await cloud.subscribe("control", 1)
            break  # dynreg subscribes again after a lost connection
        except ConfigError:
            raise
        except DynregError as error:
            print("app: not subscribed,", error)
            await asyncio.sleep(5)
    async for _, message in cloud:
        try:
            period_ms = max(10, int(json.loads(message)["period_ms"]))
            print("app: every", period_ms)
        except (ValueError, KeyError, TypeError):
            print("app: not understood")


async def main():
    led_task = asyncio.create_task(blink())  # from now on, whatever dynreg waits for
    try:
        async with aio.Client(Device(), attempts=0) as cloud:
            await asyncio.gather(report(cloud), listen(cloud))
    finally:
        led_task.cancel()


aio.run(main())
