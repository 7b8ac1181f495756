# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2

with psycopg2.connect(f"host=127.0.0.1 port={os.environ['DB']} user=postgres") as database:
    database.cursor().execute("create table markers (uuid text primary key, title text)")
