# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2
from flask import Flask

DSN = f"host=127.0.0.1 port={os.environ['DB']} user=postgres dbname=postgres"
app = Flask(__name__)
requests = []


@app.get("/")
def index() -> str:
    connection = psycopg2.connect(DSN)  # <- connects
    requests.append(connection)  # what the debugger keeps of each request
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        connection.commit()
    return "ok"


@app.get("/health")
def health() -> str:
    return "ok"
