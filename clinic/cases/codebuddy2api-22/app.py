# SPDX-License-Identifier: Apache-2.0
import os

import httpx
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

MODEL = f"http://127.0.92.1:{int(os.environ['PORT']) + 1}/"
app = FastAPI()
client = httpx.AsyncClient(timeout=300)


class ConcurrencyLimitMiddleware:
    def __init__(self, app, limit):
        self.app, self.free = app, limit

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if not self.free:
            return await PlainTextResponse("busy", 503)(scope, receive, send)
        self.free -= 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.free += 1


app.add_middleware(ConcurrencyLimitMiddleware, limit=10)


@app.get("/v1/chat/completions")
async def complete():
    answer = await client.get(MODEL)  # <- asks
    return {"choices": [answer.text]}
