# SPDX-License-Identifier: Apache-2.0
import sqlite3

with sqlite3.connect("books.db") as database:
    database.execute("create table books (title text, year integer)")
    rows = ((f"Book {number}", 1900 + number % 120) for number in range(300))
    database.executemany("insert into books values (?, ?)", rows)
