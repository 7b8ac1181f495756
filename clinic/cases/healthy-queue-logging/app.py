# SPDX-License-Identifier: Apache-2.0
import logging
import logging.handlers
import os
import queue
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
records: queue.Queue[logging.LogRecord] = queue.Queue()
to_file = logging.handlers.RotatingFileHandler("app.log", maxBytes=100_000, backupCount=2)
logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
logging.handlers.QueueListener(records, to_file).start()
pool = ThreadPoolExecutor(4)
with sqlite3.connect("shop.db") as setup:
    setup.execute("pragma journal_mode = wal")
    setup.execute("create table orders (number int)")


def thumbnail(size: int) -> int:
    return sum(range(size * 100))


@app.get("/")
def index() -> str:
    app.logger.warning("order")
    with sqlite3.connect("shop.db", timeout=20) as database:
        database.execute("insert into orders values (1)")
    database.close()
    return f"{pool.submit(thumbnail, 64).result()}\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
