import subprocess
import sys

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


def tokens():
    with subprocess.Popen([sys.executable, "-u", "model.py"], stdout=subprocess.PIPE) as model:
        yield from iter(model.stdout.readline, b"")  # <- cause


@app.get("/generate")
async def generate():
    async def stream():
        for token in tokens():
            yield token

    return StreamingResponse(stream())


@app.get("/health")
async def health():
    return {"ok": True}
