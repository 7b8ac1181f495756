# SPDX-License-Identifier: Apache-2.0
"""Waits for news of the database; there are none for minutes."""

import os

import psycopg

connection = psycopg.connect(
    f"host=127.0.0.1 port={os.environ['DB']} user=postgres", autocommit=True
)
connection.execute("listen orders")
open("listening", "w").close()
while True:
    for one in connection.notifies(timeout=60):
        print(one.payload, flush=True)
