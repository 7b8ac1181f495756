# SPDX-License-Identifier: Apache-2.0
import itertools

from flask import Flask
from flask_caching import Cache

app = Flask(__name__)
settings = {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": "cache", "CACHE_THRESHOLD": 4000}
cache = Cache(app, config=settings)
numbers = itertools.count(100_000)


@app.route("/")
def page():
    cache.set(f"page {next(numbers)}", "<p>hello</p>", timeout=3600)  # <- stores
    return "hello"
