# SPDX-License-Identifier: Apache-2.0
import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI

DSN = f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres"


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(DSN, min_size=2, max_size=8)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/catalogs/{id}")
async def catalog(id: int) -> dict[str, str]:
    async with app.state.pool.acquire() as connection:
        name = await connection.fetchval("select name from catalogs where id = $1", id)  # <- waits
    return {"name": name}


@app.get("/health")
async def health() -> str:
    return "ok"
