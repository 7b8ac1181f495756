# SPDX-License-Identifier: Apache-2.0
import datetime

from fastapi import FastAPI

app = FastAPI()
START = datetime.datetime(2020, 4, 7)
ROWS = [
    {"id": number, "when": START + datetime.timedelta(minutes=number), "values": [number] * 5}
    for number in range(5_000)
]


@app.get("/alive")
async def alive():
    return "ok"


@app.get("/measurements")
def measurements():
    return ROWS  # <- returns
