# SPDX-License-Identifier: Apache-2.0
import os
import threading
import time

import pymysql

SERVER = {"host": "127.0.0.1", "port": int(os.environ["DB"]), "user": "root"}


def prepare():
    with pymysql.connect(**SERVER) as db, db.cursor() as cursor:
        cursor.execute("create database shop")
        columns = ", ".join(f"c{n} varchar(120)" for n in range(8))
        cursor.execute(f"create table shop.t1 (id int primary key, {columns})")
        rows = [(n, *(f"{c} of {n} " * 9 for c in range(8))) for n in range(10_000)]
        marks = ", ".join(["%s"] * 9)
        cursor.executemany(f"insert into shop.t1 values ({marks})", rows)
        db.commit()


def read():
    with pymysql.connect(**SERVER, database="shop") as db:
        while True:
            began = time.monotonic()
            with db.cursor() as cursor:
                cursor.execute("select * from t1 limit 10000")  # <- asks
                for _ in cursor:
                    pass
            print(f"{time.monotonic() - began:.2f} s", flush=True)


prepare()
for _ in range(8):
    threading.Thread(target=read).start()
print("ready", flush=True)
