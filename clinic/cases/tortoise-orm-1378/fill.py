# SPDX-License-Identifier: Apache-2.0
import asyncio

from store import CONFIG
from tortoise import Tortoise, connections


async def main():
    await Tortoise.init(config=CONFIG)
    await Tortoise.generate_schemas()
    await connections.get("default").execute_script(
        "insert into ball (name, health, attack, caught, favorite)"
        " select 'ball ' || n, n, n, now(), false from generate_series(1, 60000) n"
    )
    await Tortoise.close_connections()


asyncio.run(main())
