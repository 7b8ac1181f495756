# SPDX-License-Identifier: Apache-2.0
from time import sleep

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health():
    return "Ok"


@app.get("/load")
async def load():
    sleep(2)  # <- sleeps
    return "Ok"
