# SPDX-License-Identifier: Apache-2.0
import os

from elasticsearch import Elasticsearch
from flask import Flask

app = Flask(__name__)
CLUSTER = f"http://127.0.0.1:{int(os.environ['PORT']) + 1}"
search = Elasticsearch([CLUSTER], sniff_on_start=True)


@app.get("/search")
def find() -> str:
    return str(search.search(index="products", body={"query": {"match_all": {}}}))  # <- asks


@app.get("/")
def health() -> str:
    return "ok"
