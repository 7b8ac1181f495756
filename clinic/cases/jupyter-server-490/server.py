# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import tornado.web

ROOT = os.environ["WORK"] + "/home"


class Contents(tornado.web.RequestHandler):
    def get(self):
        self.write({entry.name: entry.stat().st_mtime for entry in os.scandir(ROOT)})  # <- lists


class Status(tornado.web.RequestHandler):
    def get(self):
        self.write({"kernels": 0})


async def main():
    app = tornado.web.Application([("/api/contents", Contents), ("/api/status", Status)])
    app.listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
