# SPDX-License-Identifier: Apache-2.0
import limits
from fastapi import Depends, FastAPI, Request

app = FastAPI()


async def limited(request: Request):
    item = await limits.buckets.wrap_item(f"{request.query_params['user']}:{request.url.path}")
    bucket = await limits.buckets.get(item)
    return await bucket.put(item)


@app.get("/", dependencies=[Depends(limited)])
async def index():
    return "ok"
