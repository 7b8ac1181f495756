# SPDX-License-Identifier: Apache-2.0
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

from tornado.concurrent import run_on_executor
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

SCORES = f"http://127.0.41.1:{int(os.environ['PORT']) + 1}/score"


class Score(RequestHandler):
    executor = ThreadPoolExecutor(4)

    async def get(self):
        self.finish(await self.implement())

    @run_on_executor
    def implement(self):
        with urlopen(SCORES) as answer:  # <- asks
            return answer.read()


class Alive(RequestHandler):
    def get(self):
        self.finish("ok")


Application([("/", Score), ("/alive", Alive)]).listen(int(os.environ["PORT"]), "127.0.0.1")
IOLoop.current().start()
