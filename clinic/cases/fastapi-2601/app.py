# SPDX-License-Identifier: Apache-2.0
import os

import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get("/health/status")
async def health() -> dict[str, str]:
    return requests.get(f"http://127.0.0.1:{os.environ['PORT']}/").json()  # <- asks
