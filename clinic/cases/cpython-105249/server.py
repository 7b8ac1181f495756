import os

import httpx
from fastapi import FastAPI

app = FastAPI()
UPSTREAM = f"http://api.shop.internal:{int(os.environ['PORT']) + 1}/"


@app.get("/")
def index():
    with httpx.Client(timeout=3) as client:
        return client.get(UPSTREAM).text  # <- cause
