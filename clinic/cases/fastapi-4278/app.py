# SPDX-License-Identifier: Apache-2.0
import os
import time

import httpx
from fastapi import FastAPI, WebSocket

PRICES = f"http://127.0.85.1:{int(os.environ['PORT']) + 1}/price"
app = FastAPI()
client = httpx.AsyncClient()


async def price(symbol):
    answer = await client.get(PRICES, params={"symbol": symbol})
    return answer.text


@app.websocket("/ws/{symbol}")
async def prices(websocket: WebSocket, symbol: str):
    await websocket.accept()
    await websocket.receive_text()
    while True:
        time.sleep(1)  # <- sleeps
        await websocket.send_json(await price(symbol))


@app.get("/")
async def index():
    return "ok"
