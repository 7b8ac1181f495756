# SPDX-License-Identifier: Apache-2.0
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello():
    return {"hello": "world"}
