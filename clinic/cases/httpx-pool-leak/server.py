import os

import httpx
from fastapi import FastAPI

app = FastAPI()
UPSTREAM = f"http://127.0.7.5:{int(os.environ['PORT']) + 1}/"
client = httpx.AsyncClient(limits=httpx.Limits(max_connections=5), timeout=None)


@app.get("/")
async def index():
    request = client.build_request("GET", UPSTREAM)
    answer = await client.send(request, stream=True)  # <- cause
    return {"status": answer.status_code}


@app.get("/health")
async def health():
    return {"ok": True}
