# SPDX-License-Identifier: Apache-2.0
import os

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse

app = Starlette()
client = httpx.AsyncClient(timeout=30)
MAILER = f"http://127.0.21.1:{int(os.environ['PORT']) + 1}/"


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


app.add_middleware(Timing)


async def notify() -> None:
    await client.post(MAILER)  # <- notifies


@app.route("/")
async def order(request):
    return JSONResponse("hello", background=BackgroundTask(notify))
