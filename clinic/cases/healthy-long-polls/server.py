import asyncio
import os

from aiohttp import web

news = asyncio.Condition()


async def poll(request):
    try:
        async with asyncio.timeout(25), news:
            await news.wait()
    except TimeoutError:
        pass
    return web.Response(text="none")


async def events(request):
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    while True:
        await stream.write(b": still here\n\n")
        await asyncio.sleep(2)


async def quick(request):
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/poll", poll)
app.router.add_get("/events", events)
app.router.add_get("/quick", quick)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
