# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import os
from hashlib import sha256

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, request, websocket

app = Quart(__name__)
rooms: set[asyncio.Queue] = set()
stored = {}


@app.websocket("/chat")
async def chat():
    mine = asyncio.Queue(100)
    rooms.add(mine)

    async def tell():
        while True:
            await websocket.send(await mine.get())

    teller = asyncio.create_task(tell())
    try:
        while True:
            said = await websocket.receive()
            for room in rooms:
                if not room.full():
                    room.put_nowait(said)
    finally:
        teller.cancel()
        rooms.discard(mine)


@app.post("/pictures")
async def pictures():
    data = await request.get_data()
    stored[await asyncio.to_thread(lambda: sha256(data).hexdigest())] = len(data)
    return json.dumps(stored)


@app.get("/")
async def index():
    return {"rooms": len(rooms)}


async def tidy():
    while True:
        await asyncio.sleep(1)
        while len(stored) > 50:
            stored.popitem()


async def main():
    asyncio.get_running_loop().create_task(tidy())
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['PORT']}"]
    await serve(app, config)


asyncio.run(main())
