# SPDX-License-Identifier: Apache-2.0
import json
import os
import zlib

import bottle
import psycopg2

UPSERT = (
    "insert into markers values (%s, %s)"
    " on conflict (uuid) do update set title = excluded.title returning uuid"
)
app = bottle.Bottle()
ANALYSE = json.dumps(
    [{"uuid": f"{n:05}", "title": {"en": f"road {n}", "nodes": [n] * 400}} for n in range(300)]
)


def issues():
    for issue in json.loads(ANALYSE):
        title = json.dumps(issue["title"])
        for level in range(1, 10):
            zlib.compress(title.encode() * 8, level)
        yield issue["uuid"], title


@app.get("/send-update")
def update() -> str:
    database = psycopg2.connect(f"host=127.0.0.1 port={os.environ['DB']} user=postgres")
    cursor = database.cursor()
    for uuid, title in issues():
        cursor.execute(UPSERT, (uuid, title))  # <- upserts
    database.commit()
    database.close()
    return "done\n"
