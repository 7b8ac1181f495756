# SPDX-License-Identifier: Apache-2.0
"""Everything is imported in gunicorn's master, which reads its settings from both databases."""

import os

import redis
from flask import Flask
from sqlalchemy import create_engine, text

engine = create_engine(f"postgresql+psycopg://postgres@127.0.0.1:{os.environ['DB']}/postgres")
cache = redis.Redis(port=int(os.environ["REDIS"]))
cache.set("title", "shop")
with engine.connect() as connection:
    connection.execute(text("select 1"))
app = Flask(__name__)


@app.route("/")
def index():
    with engine.connect() as connection:
        rows = connection.execute(text("select count(*) from pg_class")).scalar()
    return f"{cache.get('title')}: {rows}"
