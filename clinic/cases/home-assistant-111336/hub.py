# SPDX-License-Identifier: Apache-2.0
"""A hub that finds devices one after the other, and loads what each of them needs."""

import asyncio
import importlib
import os

from aiohttp import web

FOUND = """sqlalchemy.orm networkx bokeh.plotting matplotlib.pyplot sympy scipy.stats pandas
    statsmodels.api sklearn.ensemble skimage.measure""".split()


async def set_up(name):
    return importlib.import_module(name)  # <- imports


async def discovery():
    while not os.path.exists("found"):
        await asyncio.sleep(0.1)
    for name in FOUND:
        await set_up(name)
        await asyncio.sleep(1)


async def states(request):
    return web.json_response({"light": "on"})


async def main():
    app = web.Application()
    app.add_routes([web.get("/api/states", states)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await discovery()
    await asyncio.Event().wait()


asyncio.run(main())
