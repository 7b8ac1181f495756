import asyncio
import os
from collections import deque

jobs = deque()


async def worker():
    while True:
        if jobs:
            jobs.popleft()()
        await asyncio.sleep(0)  # <- cause


async def serve(reader, writer):
    while await reader.readuntil(b"\r\n\r\n"):
        done = asyncio.get_running_loop().create_future()
        jobs.append(lambda done=done: done.set_result(None))
        await done
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]))
    await asyncio.gather(worker(), server.serve_forever())


asyncio.run(main())
