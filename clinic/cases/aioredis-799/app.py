# SPDX-License-Identifier: Apache-2.0
import os

import redis.asyncio as redis
from fastapi import FastAPI

app = FastAPI()
cache = redis.Redis(host="127.0.75.1", port=int(os.environ["DB"]), socket_connect_timeout=3)


@app.get("/")
async def page() -> int:
    return await cache.incr("pages")  # <- asks


@app.get("/health")
async def health() -> str:
    return "ok"
