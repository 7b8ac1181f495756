# SPDX-License-Identifier: Apache-2.0
import asyncio

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def index():
    return {"videos": 3}


@app.get("/convert")
async def convert():
    converter = await asyncio.create_subprocess_exec(
        "sh", "-c", "head -c 24000000 video.raw | gzip -9 > /dev/null"
    )
    return {"status": await converter.wait()}  # <- waits
