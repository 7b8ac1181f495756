import asyncio
import os
import sys

from aiohttp import web


async def run(request):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "job.py", stdout=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.wait(), 60)  # <- cause
    return web.Response(body=await process.stdout.read())


async def health(request):
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/run", run)
app.router.add_get("/health", health)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
