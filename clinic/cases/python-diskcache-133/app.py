# SPDX-License-Identifier: Apache-2.0
import itertools

from diskcache import Cache
from flask import Flask

app = Flask(__name__)
visitors = itertools.count()


class Basket:
    def __init__(self, visitor):
        self.cache = Cache(f"store/{visitor}")  # <- opens
        self.cache["visitor"] = visitor


baskets = {}


@app.get("/")
def index() -> str:
    visitor = next(visitors)
    baskets[visitor] = Basket(visitor)
    return "your basket is empty\n"
