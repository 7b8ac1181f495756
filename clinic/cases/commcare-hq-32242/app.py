# SPDX-License-Identifier: Apache-2.0
from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine("postgresql+psycopg2://postgres@10.9.0.9:5432/postgres", pool_size=5)


@app.get("/")
def page():
    with engine.connect() as connection:
        return str(connection.execute(text("select 42, pg_sleep(0.02)")).scalar())  # <- asks
