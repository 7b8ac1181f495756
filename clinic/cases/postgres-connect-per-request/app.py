# SPDX-License-Identifier: Apache-2.0
import os

import psycopg
from flask import Flask

DSN = f"host=127.0.0.1 port={os.environ['DB']} user=postgres dbname=postgres"
app = Flask(__name__)


@app.get("/")
def index() -> str:
    with psycopg.connect(DSN) as connection:  # <- connects
        return str(connection.execute("select 1").fetchone())
