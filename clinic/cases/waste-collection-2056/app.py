# SPDX-License-Identifier: Apache-2.0
import importlib
import os

from aiohttp import web

sources = {}


async def collection(request):
    name = f"source_{request.match_info['name']}"
    if name not in sources:
        sources[name] = importlib.import_module(f"custom_components.{name}")  # <- imports
    return web.json_response(sources[name].fetch())


async def state(request):
    return web.json_response({"light": "on"})


app = web.Application()
app.router.add_get("/collection/{name}", collection)
app.router.add_get("/state", state)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
