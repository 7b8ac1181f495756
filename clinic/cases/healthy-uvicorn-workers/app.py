# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException

URL = f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(URL, min_size=2, max_size=5) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/products")
async def products(after: int = 0):
    rows = await app.state.pool.fetch(
        "select * from products where id > $1 order by id limit 50", after
    )
    return [dict(row) for row in rows]


@app.get("/buy/{number}")
async def buy(number: int):
    async with app.state.pool.acquire() as connection, connection.transaction():
        left = await connection.fetchval(
            "update products set stock = stock - 1 where id = $1 returning stock", number
        )
        if left is None:
            raise HTTPException(404)
        order = await connection.fetchval(
            "insert into orders (product) values ($1) returning id", number
        )
    return {"order": order, "left": left}
