# SPDX-License-Identifier: Apache-2.0
import os
import sqlite3
import time

from flask import Flask, Response

app = Flask(__name__)


@app.get("/events")
def events():
    def ticks():
        for number in range(1000):
            yield f"data: {number}\n\n"
            time.sleep(0.5)

    return Response(ticks(), mimetype="text/event-stream")


@app.get("/")
def index():
    with sqlite3.connect("news.db") as database:
        rows = database.execute("SELECT title FROM news ORDER BY title LIMIT 20")
        return "<br>".join(title for (title,) in rows)


with sqlite3.connect("news.db") as database:
    database.execute("CREATE TABLE news (title)")
    database.executemany("INSERT INTO news VALUES (?)", [(f"news {n}",) for n in range(500)])
app.run(port=int(os.environ["PORT"]), threaded=True)
