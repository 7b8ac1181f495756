# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import asyncpg


async def main():
    db = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres")
    await db.execute("create type state as enum ('pending', 'running', 'done')")
    await db.execute("create type kind as enum ('computational', 'interactive', 'iterator')")
    await db.execute("create type slot as (first int, last int)")
    await db.execute(
        "create table tasks (id serial primary key, state state, kind kind, slot slot)"
    )
    await db.execute(
        "insert into tasks (state, kind, slot) select 'pending', 'iterator', row(1, n)"
        " from generate_series(1, 100) n"
    )


asyncio.run(main())
