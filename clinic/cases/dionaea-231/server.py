# SPDX-License-Identifier: Apache-2.0
import logging
import os

from aiohttp import web

logging.basicConfig(filename="logs/service.log", level=logging.INFO)
log = logging.getLogger("shop")


async def index(request):
    for item in range(5):
        log.info("item %s of the order", item)  # <- logs
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/", index)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
