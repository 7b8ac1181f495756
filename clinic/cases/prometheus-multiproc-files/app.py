# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask, Response
from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess

app = Flask(__name__)
HITS = Counter("hits", "Requests by path", ["path"])


@app.get("/")
def index() -> str:
    HITS.labels("/").inc()
    return "ok\n"


@app.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, os.environ["PROMETHEUS_MULTIPROC_DIR"])
    return Response(generate_latest(registry), mimetype="text/plain")  # <- scrapes
