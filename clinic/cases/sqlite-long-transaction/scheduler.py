# SPDX-License-Identifier: Apache-2.0
import sqlite3
import time

database = sqlite3.connect("shop.db", isolation_level=None)
database.execute("create table if not exists orders (number int)")
while True:
    database.execute("begin immediate")
    open("ready", "w").close()
    time.sleep(3)  # the jobs, in the same transaction
    database.execute("commit")
    time.sleep(0.2)
