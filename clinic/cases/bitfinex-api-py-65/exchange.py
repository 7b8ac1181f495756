# SPDX-License-Identifier: Apache-2.0
"""As much of Bitfinex's API as a subscriber of trades needs: two trades a second."""

import asyncio
import json
import os
import time

import websockets

INFO = {"event": "info", "version": 2, "serverId": "a", "platform": {"status": 1}}


async def subscriber(socket, *_):
    await socket.send(json.dumps(INFO))
    asked = {}
    while asked.get("event") != "subscribe":
        asked = json.loads(await socket.recv())
    answer = {"chanId": 17, "pair": "BTCUSD", **asked, "event": "subscribed"}
    await socket.send(json.dumps(answer))
    number = 0
    while True:
        number += 1
        trade = [number, int(time.time() * 1000), 0.05, 7000.5]
        await socket.send(json.dumps([17, "te", trade]))
        await asyncio.sleep(0.5)


async def main():
    async with websockets.serve(subscriber, "127.0.111.1", int(os.environ["WEB"])):
        await asyncio.Future()


asyncio.run(main())
