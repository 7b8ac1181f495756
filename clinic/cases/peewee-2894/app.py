# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from peewee import CharField, Model
from playhouse.pool import PooledMySQLDatabase

database = PooledMySQLDatabase(
    "shop",
    host="127.0.89.2",
    port=int(os.environ["FAR"]),
    user="root",
    max_connections=100,
    stale_timeout=2,
)
app = Flask(__name__)


class Item(Model):
    name = CharField()

    class Meta:
        database = database


@app.before_request
def connect():
    database.connect()  # <- connects


@app.teardown_request
def close(exception):
    if not database.is_closed():
        database.close()


@app.get("/")
def items():
    return ", ".join(item.name for item in Item.select())
