# SPDX-License-Identifier: Apache-2.0
import asyncio

from asgiref.sync import async_to_sync, sync_to_async


def query() -> bytes:
    return b"ok"


async def view() -> bytes:
    return await asyncio.create_task(sync_to_async(query)())  # <- awaits


def middleware() -> bytes:
    return async_to_sync(view)()  # <- enters


async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = await sync_to_async(middleware)()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
