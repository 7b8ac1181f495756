# SPDX-License-Identifier: Apache-2.0
from contextlib import asynccontextmanager

import aiosqlite
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

state = {}
FILL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"


@asynccontextmanager
async def lifespan(app):
    state["db"] = db = await aiosqlite.connect("traces.db")
    await db.execute("CREATE TABLE spans (id INTEGER PRIMARY KEY, name TEXT)")
    await db.execute(f"INSERT INTO spans {FILL} SELECT i, 'span ' || i % 97 FROM n")
    await db.commit()
    yield


async def ask(statement):
    async with state["db"].execute(statement) as cursor:  # <- query
        return await cursor.fetchall()


async def index(request):
    return JSONResponse(len(await ask("SELECT name FROM spans WHERE id = 42")))


async def stats(request):
    pairs = "SELECT count(*) FROM spans a, spans b WHERE a.name > b.name"
    return JSONResponse((await ask(pairs))[0][0])


app = Starlette(routes=[Route("/", index), Route("/stats", stats)], lifespan=lifespan)
