# SPDX-License-Identifier: Apache-2.0
import os

from aiohttp import web
from chialog import initialize_logging

log = initialize_logging("full_node")


async def new_peak(request: web.Request) -> web.Response:
    for height in range(40):
        log.debug("sub block %d of %s", height, request.remote)  # <- logs
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/new_peak", new_peak)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None)
