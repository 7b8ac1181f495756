# SPDX-License-Identifier: Apache-2.0
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
INTERVALS = [
    {"name": f"interval {n}", "primitive": n % 17, "ends": [n, n + 9]} for n in range(5000)
]


@app.get("/intervals")
async def intervals():
    async def rows():
        yield "["
        for number in range(400_000):
            yield json.dumps(INTERVALS[number % 5000]) + ","  # <- yields
        yield "{}]"

    return StreamingResponse(rows(), media_type="application/json")


@app.get("/")
async def index():
    return "ok"
