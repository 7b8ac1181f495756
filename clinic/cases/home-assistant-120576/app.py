# SPDX-License-Identifier: Apache-2.0
import os

from aiohttp import web
from ical.calendar_stream import IcsCalendarStream


class LocalTodo:
    def __init__(self, path):
        self.path = path

    async def items(self):
        with open(self.path) as stored:  # <- reads
            return IcsCalendarStream.calendar_from_ics(stored.read()).todos  # <- reads


lists = LocalTodo("storage/local_todo.home.ics")


async def todo(request):
    return web.json_response([item.summary for item in await lists.items()])


async def state(request):
    return web.json_response({"light": "on"})


app = web.Application()
app.router.add_get("/todo", todo)
app.router.add_get("/state", state)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
