# SPDX-License-Identifier: Apache-2.0
import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

state = {}


async def send(message):
    await asyncio.sleep(0.01)
    return len(message)


def publish(message):
    future = asyncio.run_coroutine_threadsafe(send(message), state["loop"])
    return future.result()  # <- waits


async def reading(request):
    state["loop"] = asyncio.get_running_loop()
    return JSONResponse({"value": 21})


async def update(request):
    return JSONResponse({"sent": publish("on")})


app = Starlette(routes=[Route("/", reading), Route("/update", update)])
