# SPDX-License-Identifier: Apache-2.0
"""model.py ADDRESS PORT: answers chats after 1.5 s, as the model would."""

import asyncio
import json
import sys

from aiohttp import web

MESSAGE = {"role": "assistant", "content": "ok"}


async def chat(request):
    await request.read()
    await asyncio.sleep(1.5)
    choice = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4"}
    return web.Response(
        body=json.dumps(answer | {"choices": [choice]}).encode(),
        headers={"Content-Type": "application/json"},
    )


app = web.Application()
app.router.add_post("/chat/completions", chat)
web.run_app(app, host=sys.argv[1], port=int(sys.argv[2]), print=None)
