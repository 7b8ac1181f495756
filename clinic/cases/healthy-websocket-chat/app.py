# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
from contextlib import asynccontextmanager, suppress

import redis.asyncio as redis
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

store = redis.Redis(port=int(os.environ["DB"]), decode_responses=True)
rooms: dict[str, set[WebSocket]] = {}


async def hand_on():
    async with store.pubsub() as channel:
        await channel.psubscribe("room:*")
        async for message in channel.listen():
            if message["type"] != "pmessage":
                continue
            for person in list(rooms.get(message["channel"], ())):
                with suppress(WebSocketDisconnect, RuntimeError):
                    await person.send_text(message["data"])


@asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(hand_on())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/rooms/{name}")
async def room(person: WebSocket, name: str):
    await person.accept()
    people = rooms.setdefault(f"room:{name}", set())
    people.add(person)
    try:
        async for text in person.iter_text():
            await store.publish(f"room:{name}", text)
    finally:
        people.discard(person)
