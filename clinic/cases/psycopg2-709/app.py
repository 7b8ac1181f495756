# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2
from flask import Flask

DSN = f"host=127.0.0.1 port={os.environ['DB']} user=postgres dbname=postgres"
app = Flask(__name__)


@app.get("/report")
def report() -> str:
    with psycopg2.connect(DSN) as connection, connection.cursor() as cursor:
        cursor.execute("select * from measurements")  # <- reads
        first = cursor.fetchone()
    return str(first)


@app.get("/")
def health() -> str:
    return "ok"
