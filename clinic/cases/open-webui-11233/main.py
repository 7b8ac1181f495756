# SPDX-License-Identifier: Apache-2.0
import os

from fastapi import FastAPI
from sqlalchemy import create_engine, text

engine = create_engine(
    f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres", pool_size=20
)
app = FastAPI()


@app.get("/alive")
async def alive():
    return "ok"


@app.get("/chats")
async def chats():
    with engine.connect() as connection:
        rows = connection.execute(text("select count(*), pg_sleep(0.12) from chats"))  # <- asks
        return rows.one()[0]
