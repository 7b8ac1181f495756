# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from amqtt.broker import Broker

SETTINGS = {
    "listeners": {"default": {"type": "tcp", "bind": f"127.0.105.1:{os.environ['PORT']}"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


async def main() -> None:
    broker = Broker(SETTINGS)
    await broker.start()
    await asyncio.Event().wait()


asyncio.run(main())
