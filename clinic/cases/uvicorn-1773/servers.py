# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import uvicorn

PORT = int(os.environ["PORT"])


async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


async def main():
    public = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=PORT, lifespan="off"))
    admin = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=PORT + 1, lifespan="off"))
    await asyncio.gather(public.serve(), admin.serve())  # <- serves


asyncio.run(main())
