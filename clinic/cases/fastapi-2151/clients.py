# SPDX-License-Identifier: Apache-2.0
"""Eight clients that post a batch of rows, one after the other."""

import http.client
import io
import os
import random
import threading

from fastavro import parse_schema, writer

ROW = parse_schema(
    {
        "type": "record",
        "name": "Row",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "features", "type": {"type": "array", "items": "double"}},
        ],
    }
)
batch = io.BytesIO()
rows = ({"id": n, "features": [random.random() for _ in range(20)]} for n in range(15_000))
writer(batch, ROW, rows)


def client():
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    while True:
        connection.request("POST", "/invocations", batch.getvalue())
        connection.getresponse().read()


for _ in range(8):
    threading.Thread(target=client).start()
