# SPDX-License-Identifier: Apache-2.0
import os
import random
import threading

import bottle
import psycopg2

UPSERT = (
    "insert into markers values (%s, %s)"
    " on conflict (uuid) do update set title = excluded.title returning uuid"
)
app = bottle.Bottle()
local = threading.local()


def database():
    if not hasattr(local, "database"):
        local.database = psycopg2.connect(f"host=127.0.0.1 port={os.environ['DB']} user=postgres")
    return local.database


@app.get("/send-update")
def update() -> str:
    with database() as one:
        cursor = one.cursor()
        for number in range(3):
            cursor.execute(UPSERT, (f"{random.randrange(1000):05}", f"road {number}"))
    return "done\n"
