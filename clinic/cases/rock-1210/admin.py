# SPDX-License-Identifier: Apache-2.0
from collections import Counter

from fastapi import FastAPI
from model import Sandbox, Sessions
from sqlalchemy import select

app = FastAPI()


@app.get("/alive")
async def alive():
    return "ok"


@app.get("/states")
async def states():
    async with Sessions() as session:
        rows = (await session.scalars(select(Sandbox))).all()  # <- reads
        return Counter(f"{row.host} {row.state}" for row in rows)  # <- reads


@app.post("/beat/{number}")
async def beat(number: int):
    async with Sessions.begin() as session:
        sandbox = await session.get(Sandbox, number)
        sandbox.memory += 1
    return "ok"
