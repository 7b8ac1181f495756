# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from psycopg_pool import ConnectionPool

DSN = f"host=127.0.0.1 port={os.environ['DB']} user=postgres dbname=postgres"
app = Flask(__name__)
pool = ConnectionPool(DSN, min_size=2, max_size=4, open=True)


@app.get("/")
def index() -> str:
    with pool.connection() as connection:
        return str(connection.execute("select 1").fetchone())
