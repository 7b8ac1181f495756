# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import asyncpg


async def main():
    db = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres")
    await db.execute("create table jobs (id serial primary key, state text, note text)")
    await db.execute(
        "insert into jobs (state, note) select case when n > 799980 then 'new' else 'done' end,"
        " 'job ' || n from generate_series(1, 800000) n"
    )
    await db.execute("create index on jobs (state)")
    await db.execute("analyze jobs")


asyncio.run(main())
