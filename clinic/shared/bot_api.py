# SPDX-License-Identifier: Apache-2.0
"""bot_api.py ADDRESS PORT: the Bot API, as far as a bot needs it; users send commands. How long
answers take is printed."""

import asyncio
import itertools
import json
import sys
import time
from urllib.parse import parse_qs

COMMANDS = ("/report", "/help", "/help", "/help")
EVERY_S = 0.25
ME = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "a_bot"}
sent = {}
updates = asyncio.Queue()


async def users():
    for number, command in zip(itertools.count(1), itertools.cycle(COMMANDS)):
        user = {"id": 1000 + number, "is_bot": False, "first_name": "U"}
        entity = {"type": "bot_command", "offset": 0, "length": len(command)}
        message = {"message_id": number, "date": int(time.time()), "text": command}
        message |= {"from": user, "entities": [entity]}
        message["chat"] = {"id": user["id"], "type": "private", "first_name": "U"}
        sent[user["id"]] = command, time.monotonic()
        await updates.put({"update_id": number, "message": message})
        await asyncio.sleep(EVERY_S)


async def result_of(method, asked):
    if method == "getUpdates":
        try:
            found = [await asyncio.wait_for(updates.get(), 10)]
        except asyncio.TimeoutError:
            return []
        while not updates.empty():
            found.append(updates.get_nowait())
        return found
    if method == "sendMessage":
        chat = int(asked["chat_id"])
        command, when = sent.pop(chat)
        print(f"{command} {time.monotonic() - when:.2f} s, {len(sent)} wait", flush=True)
        who = {"id": chat, "type": "private"}
        return {"message_id": 1, "date": int(time.time()), "chat": who, "text": "ok", "from": ME}
    return ME if method == "getMe" else True


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lower = head.lower()
            size = (
                int(lower.split("content-length:")[1].split()[0])
                if "content-length:" in lower
                else 0
            )
            body = (await reader.readexactly(size)).decode()
            target = head.split()[1]
            path, _, query = target.partition("?")
            if "application/json" in lower:
                asked = json.loads(body or "{}")
            else:
                asked = {key: value[0] for key, value in parse_qs(f"{query}&{body}").items()}
            result = await result_of(path.rpartition("/")[2], asked)
            answer = json.dumps({"ok": True, "result": result}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    task = asyncio.create_task(users())
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]))
    async with server:
        await task


asyncio.run(main())
