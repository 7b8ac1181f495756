import asyncio
import os
import time

import httpx
from fastapi import FastAPI

app = FastAPI()
IDENTITY = f"http://127.0.7.4:{int(os.environ['PORT']) + 1}/token"
token = {"until": 0.0}


def refresh_token():
    httpx.post(IDENTITY, timeout=10)  # <- cause
    token["until"] = time.monotonic() + 2


@app.get("/turn")
async def turn():
    if token["until"] < time.monotonic():
        refresh_token()
    await asyncio.sleep(0.02)
    return {"said": "hello"}
