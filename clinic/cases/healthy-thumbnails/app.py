# SPDX-License-Identifier: Apache-2.0
import asyncio
import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from aiohttp import web


def shrink(picture: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", picture, b"", 30_000).hex()


async def thumb(request: web.Request) -> web.Response:
    loop = asyncio.get_running_loop()
    return web.Response(text=await loop.run_in_executor(pool, shrink, b"x" * 100_000))


async def index(request: web.Request) -> web.Response:
    return web.Response(text="page\n")


if __name__ == "__main__":
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    app = web.Application()
    app.add_routes([web.get("/thumb", thumb), web.get("/", index)])
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
