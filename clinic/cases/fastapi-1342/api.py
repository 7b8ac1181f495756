# SPDX-License-Identifier: Apache-2.0
import asyncio

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, StreamingResponse

app = FastAPI()


def frame(number):
    return b"--frame\r\n" + bytes(i * number % 251 for i in range(20_000))  # <- renders


async def frames():
    number = 0
    while True:
        number += 1
        yield frame(number)
        await asyncio.sleep(0.04)


@app.get("/live")
async def live():
    return StreamingResponse(frames(), media_type="multipart/x-mixed-replace;boundary=frame")


@app.get("/")
async def index():
    return PlainTextResponse("ok")
