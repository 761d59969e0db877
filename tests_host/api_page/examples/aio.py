import asyncio

from dynreg import Device
from dynreg.services import aio


async def main():
    async with aio.Client(Device(), attempts=3) as cloud:
        await cloud.call(cloud.device.sync_clock)
        await cloud.subscribe("control", qos=1)
        await cloud.publish("event", '{"alive":1}', qos=1)
        try:
            topic, message = await asyncio.wait_for(cloud.message(), 0.1)
            print(topic, message)
        except asyncio.TimeoutError:
            print("nothing yet")


aio.run(main())
