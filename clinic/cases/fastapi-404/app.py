# SPDX-License-Identifier: Apache-2.0
import asyncio
import time

from fastapi import BackgroundTasks, FastAPI

app = FastAPI()


async def wait_for_export():
    start = time.time()
    while time.time() - start < 3:
        asyncio.sleep(1)  # <- spins


@app.get("/")
async def root(background_tasks: BackgroundTasks):
    background_tasks.add_task(wait_for_export)
    return {"Hello": "World"}


@app.get("/health")
def health():
    return "ok"
