# SPDX-License-Identifier: Apache-2.0
import os
from contextlib import asynccontextmanager

from arq import create_pool
from arq.connections import RedisSettings
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

state = {}


@asynccontextmanager
async def lifespan(app):
    state["jobs"] = await create_pool(RedisSettings(port=int(os.environ["PORT"]) + 1))
    yield


async def thumbnail(request):
    job = await state["jobs"].enqueue_job("shrink", 7)
    return JSONResponse(await job.result(timeout=20))  # <- waits


async def index(request):
    return JSONResponse("hello")


app = Starlette(routes=[Route("/", index), Route("/thumbnail", thumbnail)], lifespan=lifespan)
