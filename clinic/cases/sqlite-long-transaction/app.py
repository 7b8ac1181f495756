# SPDX-License-Identifier: Apache-2.0
import sqlite3

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    with sqlite3.connect("shop.db", timeout=20) as database:
        database.execute("insert into orders values (1)")  # <- saves
    return "ok\n"
