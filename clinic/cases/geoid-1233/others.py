# SPDX-License-Identifier: Apache-2.0
"""Another program's transaction that has read the table and is left open, and a migration."""

import asyncio
import os

import asyncpg

DSN = f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres"


async def main() -> None:
    reader, migration = await asyncpg.connect(DSN), await asyncpg.connect(DSN)
    await reader.execute("begin")
    await reader.fetch("select * from catalogs")
    await migration.execute("alter table catalogs add column checklist text")


asyncio.run(main())
