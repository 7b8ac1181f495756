# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2

with psycopg2.connect(f"postgresql://postgres@127.0.0.1:{os.environ['DB']}/postgres") as connection:
    connection.cursor().execute("create table chats as select generate_series(1, 50000) as id")
