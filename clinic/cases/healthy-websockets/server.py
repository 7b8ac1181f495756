import asyncio
import os

from websockets.asyncio.server import broadcast, serve

clients = set()


async def serve_one(ws):
    clients.add(ws)
    try:
        async for message in ws:
            await ws.send(message)
    finally:
        clients.discard(ws)


async def main():
    async with serve(serve_one, "127.0.0.1", int(os.environ["PORT"]), ping_interval=5):
        while True:
            broadcast(clients, "tick")
            await asyncio.sleep(1)


asyncio.run(main())
