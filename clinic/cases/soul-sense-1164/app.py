# SPDX-License-Identifier: Apache-2.0
import asyncio

from fastapi import FastAPI

app = FastAPI()
lock = asyncio.Lock()
journal = {}


@app.get("/journal/{user}")
async def add(user: str) -> int:
    await lock.acquire()  # <- waits
    entries = journal.setdefault(user, [])
    await asyncio.sleep(0.01)
    entries.append(1 / (int(user) % 50))
    lock.release()
    return len(entries)


@app.get("/health")
async def health() -> str:
    return "ok"
