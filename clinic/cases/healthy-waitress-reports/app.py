# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask, jsonify
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine(
    f"postgresql+psycopg2://postgres@127.0.0.1:{os.environ['DB']}/postgres",
    pool_size=8,
    pool_pre_ping=True,
)


@app.get("/")
def index():
    with engine.connect() as connection:
        return jsonify(
            [row[0] for row in connection.execute(text("select generate_series(1, 20)"))]
        )


@app.get("/report")
def report():
    with engine.connect() as connection:  # the work of a second
        return jsonify(connection.execute(text("select 42 from pg_sleep(1)")).scalar())
