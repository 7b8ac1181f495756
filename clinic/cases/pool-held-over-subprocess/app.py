# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
URL = f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres"
engine = create_engine(URL, pool_size=3, max_overflow=0, pool_timeout=30)


@app.get("/sync")
def sync() -> str:
    with engine.begin() as connection:
        connection.execute(text("select 1"))
        subprocess.run(["sleep", "1.5"], check=True)  # git fetch
    return "ok\n"


@app.get("/")
def index() -> str:
    with engine.begin() as connection:  # <- waits
        return str(connection.execute(text("select 1")).scalar())
