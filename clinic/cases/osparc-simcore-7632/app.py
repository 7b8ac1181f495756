# SPDX-License-Identifier: Apache-2.0
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

URL = f"postgresql+asyncpg://postgres@127.0.0.1:{os.environ['DB']}/postgres"
engine = create_async_engine(URL, poolclass=NullPool)
TASK = text("select state, kind, slot from tasks where id = :id")


async def task(request):
    async with engine.connect() as db:
        row = (await db.execute(TASK, {"id": 7})).one()  # <- asks
    return PlainTextResponse(row.state)


app = Starlette(routes=[Route("/", task)])
