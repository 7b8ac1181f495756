# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

from cachetools.func import ttl_cache
from flask import Flask

STOCK = f"http://127.0.57.4:{int(os.environ['PORT']) + 1}/stock"
app = Flask(__name__)


@ttl_cache(maxsize=100, ttl=1)
def stock(shop):
    return urlopen(STOCK, timeout=20).read()  # <- asks


@app.route("/")
def index():
    return stock("all")


@app.route("/alive")
def alive():
    return "ok"
