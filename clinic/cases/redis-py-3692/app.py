# SPDX-License-Identifier: Apache-2.0
import os

import redis.asyncio as redis
from fastapi import FastAPI

app = FastAPI()
sessions = redis.Redis(host="127.0.51.1", port=int(os.environ["PORT"]) + 2)


@app.get("/")
async def visit() -> int:
    return await sessions.incr("visits")  # <- asks


@app.get("/health")
async def health() -> str:
    return "ok"
