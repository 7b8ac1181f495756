# SPDX-License-Identifier: Apache-2.0
import os
from contextlib import asynccontextmanager

import asyncpg
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

URL = f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres"
PENDING = "select id, note from jobs where state = $1 order by id limit 5"


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(URL, min_size=8, max_size=8)
    yield
    await app.state.pool.close()


async def pending(request):
    async with request.app.state.pool.acquire() as db:
        rows = await db.fetch(PENDING, "new")  # <- asks
    return PlainTextResponse(str(len(rows)))


app = Starlette(routes=[Route("/", pending)], lifespan=lifespan)
