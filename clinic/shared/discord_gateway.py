# SPDX-License-Identifier: Apache-2.0
"""discord_gateway.py PORT SECONDS: as much of Discord as a bot needs; users ask it something every
SECONDS. How long answers and
heartbeats take is printed."""

import asyncio
import itertools
import json
import sys
import time

from aiohttp import WSMsgType, web

PORT, EVERY_S = int(sys.argv[1]), float(sys.argv[2])
BOT = {"id": "1", "username": "bot", "discriminator": "0", "avatar": None, "bot": True}
TEAM = {"verify_key": "", "bot_public": True, "bot_require_code_grant": False, "rpc_origins": []}
APPLICATION = {"id": "2", "name": "bot", "icon": None, "description": "", "flags": 0, "owner": BOT}
asked = {}


def message(channel, author, text):
    return {
        "id": str(next(numbers)),
        "channel_id": channel,
        "author": author,
        "content": text,
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }


numbers = itertools.count(1000)


async def users(socket):
    for text in itertools.cycle(("!chat", "!ping", "!ping", "!ping")):
        user = {"id": str(next(numbers)), "username": "u", "discriminator": "0", "avatar": None}
        channel = str(next(numbers))
        asked[channel] = text, time.monotonic()
        await dispatch(socket, "MESSAGE_CREATE", message(channel, user, text))
        await asyncio.sleep(EVERY_S)


async def dispatch(socket, event, data):
    await socket.send_json({"op": 0, "t": event, "s": next(numbers), "d": data})


async def gateway(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json({"op": 10, "d": {"heartbeat_interval": 1000}})
    task, last = None, time.monotonic()
    async for said in socket:
        if said.type != WSMsgType.TEXT:
            continue
        op = said.json()["op"]
        if op == 1:
            print(f"heartbeat after {time.monotonic() - last:.2f} s", flush=True)
            last = time.monotonic()
            await socket.send_json({"op": 11})
        elif op == 2:
            ready = {
                "v": 10,
                "user": BOT,
                "guilds": [],
                "session_id": "s",
                "application": APPLICATION,
            }
            ready["resume_gateway_url"] = f"ws://127.0.57.1:{PORT}/ws"
            await dispatch(socket, "READY", ready)
            task = asyncio.create_task(users(socket))
    if task:
        task.cancel()
    return socket


def answer(data):
    return web.Response(
        body=json.dumps(data).encode(), headers={"Content-Type": "application/json"}
    )


async def send(request):
    channel = request.match_info["channel"]
    text, when = asked.pop(channel)
    print(f"{text} {time.monotonic() - when:.2f} s", flush=True)
    return answer(message(channel, BOT, "ok"))


async def me(request):
    return answer(BOT)


async def application(request):
    return answer(APPLICATION | TEAM)


app = web.Application()
app.add_routes(
    [
        web.get("/ws/", gateway),
        web.get("/ws", gateway),
        web.get("/users/@me", me),
        web.get("/oauth2/applications/@me", application),
        web.post("/channels/{channel}/messages", send),
    ]
)
web.run_app(app, host="127.0.57.1", port=PORT, print=None)
