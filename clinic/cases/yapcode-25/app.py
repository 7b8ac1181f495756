# SPDX-License-Identifier: Apache-2.0
import asyncio
import json

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route


async def changes():
    while True:
        yield f"data: {json.dumps({'state': 'idle'})}\n\n"
        await asyncio.sleep(1)  # <- streams


async def events(request):
    return StreamingResponse(changes(), media_type="text/event-stream")


async def index(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", index), Route("/events", events)])
