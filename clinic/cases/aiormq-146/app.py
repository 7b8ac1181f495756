# SPDX-License-Identifier: Apache-2.0
import os

import aio_pika
from aiohttp import web

BROKER = f"amqp://guest:guest@127.0.49.1:{int(os.environ['PORT']) + 1}/"


async def order(request: web.Request) -> web.Response:
    exchange = request.app["exchange"]
    await exchange.publish(aio_pika.Message(b"order"), routing_key="orders")  # <- publishes
    return web.Response(text="ok")


async def connect(app: web.Application) -> None:
    app["connection"] = await aio_pika.connect(BROKER)
    app["channel"] = await app["connection"].channel()
    app["exchange"] = app["channel"].default_exchange


app = web.Application()
app.on_startup.append(connect)
app.router.add_get("/", order)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
