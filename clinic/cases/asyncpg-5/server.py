import os

import asyncpg
from fastapi import FastAPI

app = FastAPI()


@app.on_event("startup")
async def connect():
    app.pool = await asyncpg.create_pool(
        "postgresql://postgres@/postgres?host=" + os.environ["WORK"], min_size=1, max_size=5
    )


async def owner_of(item):
    async with app.pool.acquire() as db:  # <- cause
        return await db.fetchval("select $1::int * 2", item)


@app.get("/")
async def index():
    async with app.pool.acquire() as db:
        item = await db.fetchval("select 21")
        return {"owner": await owner_of(item)}
