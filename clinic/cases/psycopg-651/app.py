# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from psycopg_pool import ConnectionPool

pool = ConnectionPool(
    f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres",
    min_size=2,
    max_size=8,
    open=True,
)
pool.wait()
app = Flask(__name__)


@app.route("/")
def index():
    with pool.connection(timeout=30) as connection:  # <- takes
        return str(connection.execute("select 42, pg_sleep(0.02)").fetchone()[0])  # <- asks
