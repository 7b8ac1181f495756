# SPDX-License-Identifier: Apache-2.0
import sqlite3

database = sqlite3.connect("shop.db")
database.execute("create table if not exists prices (article int, price int)")


def store(article: int) -> None:
    database.execute("insert into prices values (?, ?)", (article, article % 97))
    database.commit()  # <- commits


for number in range(10_000_000):
    store(number)
