# SPDX-License-Identifier: Apache-2.0
import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.request import urlopen

from tornado.concurrent import run_on_executor
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler

SCORES = f"http://127.0.0.1:{int(os.environ['PORT']) + 1}/score"


class Score(RequestHandler):
    executor = ThreadPoolExecutor(4)

    async def get(self):
        self.finish(await self.implement())

    @run_on_executor
    def implement(self):
        with urlopen(SCORES, timeout=5) as answer:
            return answer.read()


class Events(RequestHandler):
    async def get(self):
        with suppress(StreamClosedError):
            for number in range(60):
                self.write(f"data: {number}\n\n")
                await self.flush()
                await asyncio.sleep(1)


@stream_request_body
class Upload(RequestHandler):
    def prepare(self):
        self.sum = hashlib.sha256()

    def data_received(self, chunk):
        self.sum.update(chunk)

    def put(self):
        self.finish(self.sum.hexdigest())


class Chat(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


async def main():
    paths = [("/", Score), ("/events", Events), ("/upload", Upload), ("/chat", Chat)]
    HTTPServer(Application(paths)).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
