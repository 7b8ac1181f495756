# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import asyncpg


async def main() -> None:
    database = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres")
    await database.execute("create table catalogs (id int primary key, name text)")
    await database.execute("insert into catalogs values (1, 'maps')")


asyncio.run(main())
