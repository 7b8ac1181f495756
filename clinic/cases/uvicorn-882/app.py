# SPDX-License-Identifier: Apache-2.0
from fastapi import FastAPI
from fastapi.responses import FileResponse

app = FastAPI()


@app.get("/film")
async def film():
    return FileResponse("film.mp4")


@app.get("/")
async def index():
    return "ok"
