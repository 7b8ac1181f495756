# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI


class Broker:
    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.72.1", int(os.environ["PORT"]) + 1
        )
        self.writer.write(b"HELLO api\r\n")
        return await self.reader.readline()  # <- waits


broker = Broker()


@asynccontextmanager
async def lifespan(app):
    await broker.connect()  # <- waits
    yield
    broker.writer.close()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index():
    return "ok"
