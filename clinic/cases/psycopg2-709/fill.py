# SPDX-License-Identifier: Apache-2.0
import os

import psycopg2

with psycopg2.connect(host="127.0.0.1", port=os.environ["DB"], user="postgres") as database:
    database.cursor().execute(
        "create table measurements as select n, md5(n::text) as sensor, repeat('x', 100) as text "
        "from generate_series(1, 900000) n"
    )
