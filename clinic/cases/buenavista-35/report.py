# SPDX-License-Identifier: Apache-2.0
"""Asks for some prices, again and again."""

import os

import psycopg2

dsn = f"host=127.0.0.1 port={os.environ['PORT']} dbname=main user=me password=me"
connection = psycopg2.connect(dsn)
connection.autocommit = True
cursor = connection.cursor()
while True:
    cursor.execute("SELECT id, price FROM prices LIMIT 20")
    cursor.fetchall()
