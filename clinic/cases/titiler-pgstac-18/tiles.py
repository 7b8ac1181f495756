# SPDX-License-Identifier: Apache-2.0
import os

from fastapi import FastAPI, Response
from psycopg2.pool import ThreadedConnectionPool

DSN = f"host=127.0.0.1 port={os.environ['DB']} user=postgres dbname=postgres"
pool = ThreadedConnectionPool(1, 10, DSN)
app = FastAPI()


@app.get("/tiles/{z}/{x}/{y}")
def tile(z: int, x: int, y: int):
    connection = pool.getconn()  # <- takes
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_sleep(0.25), %s", (f"{z}/{x}/{y}",))  # <- takes
            return Response(cursor.fetchone()[1], media_type="image/png")
    finally:
        pool.putconn(connection)
