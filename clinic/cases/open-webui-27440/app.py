# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import aiohttp
import requests
from aiohttp import web

WEB = os.environ["WEB"]


def fetch():
    return requests.get(f"http://127.0.90.2:{WEB}/page", timeout=30).text  # <- fetches


async def search(request):
    return web.Response(text=await asyncio.to_thread(fetch))


async def chat(request):
    async with (  # <- asks
        aiohttp.ClientSession() as session,
        session.get(f"http://localhost:{WEB}/api/chat") as answer,
    ):
        return web.Response(text=await answer.text())


app = web.Application()
app.add_routes([web.get("/search", search), web.get("/chat", chat)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
