# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from pymongo import MongoClient

app = Flask(__name__)
database = MongoClient("127.0.22.1", int(os.environ["PORT"]) + 1, connect=False).shop


@app.get("/")
def index() -> str:
    return str(database.orders.find_one())  # <- asks
