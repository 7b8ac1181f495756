# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2
from flask import Flask

DSN = f"host={os.getcwd()}/data port={os.environ['DB']} user=postgres dbname=postgres"
app = Flask(__name__)
kept = []

with psycopg2.connect(DSN) as setup, setup.cursor() as cursor:
    cursor.execute("create table if not exists hits (id int primary key, number int)")
    cursor.execute("insert into hits values (1, 0) on conflict do nothing")


@app.get("/audit")
def audit() -> str:
    connection = psycopg2.connect(DSN)
    connection.cursor().execute("update hits set number = 0 where id = 1")
    kept.append(connection)  # neither committed nor closed
    return "ok"


@app.get("/")
def index() -> str:
    with psycopg2.connect(DSN) as connection, connection.cursor() as cursor:
        cursor.execute("update hits set number = number + 1 where id = 1")  # <- waits
    return "ok"
