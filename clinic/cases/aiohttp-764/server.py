import os

import aiohttp
from aiohttp import web

UPSTREAM = f"http://127.0.7.6:{int(os.environ['PORT']) + 1}/"
sessions = []


async def index(request):
    session = aiohttp.ClientSession()
    sessions.append(session)
    answer = await session.get(UPSTREAM)  # <- cause
    return web.Response(text=await answer.text())


app = web.Application()
app.router.add_get("/", index)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
