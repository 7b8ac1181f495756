# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2

database = psycopg2.connect(host="127.0.0.1", port=os.environ["DB"], user="postgres")
with database.cursor() as cursor:
    cursor.execute("create table violations (id int primary key, street text, class text)")
database.commit()
with database.cursor() as cursor:
    for part in range(1000):
        first = part * 20_000
        rows = [(number, f"street {number}", "A") for number in range(first, first + 20_000)]
        cursor.executemany("insert into violations values (%s, %s, %s)", rows)  # <- inserts
        database.commit()
