# SPDX-License-Identifier: Apache-2.0
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from store import CONFIG, Ball
from tortoise import Tortoise


@asynccontextmanager
async def lifespan(app):
    await Tortoise.init(config=CONFIG)
    yield
    await Tortoise.close_connections()


async def export(request):
    balls = await Ball.all()  # <- reads
    return PlainTextResponse(str(len(balls)))


async def ping(request):
    return PlainTextResponse("pong")


routes = [Route("/export", export), Route("/", ping)]
app = Starlette(routes=routes, lifespan=lifespan)
