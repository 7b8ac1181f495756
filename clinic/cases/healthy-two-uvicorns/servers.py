# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import uvicorn
from fastapi import FastAPI

PORT = int(os.environ["PORT"])
public, admin = FastAPI(), FastAPI()
seen = {"requests": 0}


@public.get("/")
async def index():
    seen["requests"] += 1
    await asyncio.sleep(0.005)
    return {"hello": "world"}


@admin.get("/metrics")
async def metrics():
    return seen


async def main():
    first = uvicorn.Server(uvicorn.Config(public, port=PORT, log_level="warning"))
    second = uvicorn.Server(uvicorn.Config(admin, port=PORT + 1, log_level="warning"))
    await asyncio.gather(first.serve(), second.serve())


asyncio.run(main())
