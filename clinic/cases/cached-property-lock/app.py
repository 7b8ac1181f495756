# SPDX-License-Identifier: Apache-2.0
import functools
import os
import urllib.request

from flask import Flask

app = Flask(__name__)
URL = f"http://127.0.16.1:{int(os.environ['PORT']) + 1}/"


class Report:
    @functools.cached_property
    def rows(self) -> bytes:
        return urllib.request.urlopen(URL, timeout=5).read()  # <- fills


@app.get("/")
def index() -> bytes:
    return Report().rows


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
