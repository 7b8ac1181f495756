# SPDX-License-Identifier: Apache-2.0
import os
import threading

import pycurl
from flask import Flask

app = Flask(__name__)
SERVICE = f"http://127.0.32.1:{int(os.environ['PORT']) + 1}/store"
DOCUMENT = b"x" * 1_200_000
kept = threading.local()


@app.get("/")
def index() -> str:
    curl = kept.__dict__.setdefault("curl", pycurl.Curl())
    curl.setopt(pycurl.URL, SERVICE)
    curl.setopt(pycurl.POSTFIELDS, DOCUMENT)
    curl.setopt(pycurl.WRITEFUNCTION, len)
    curl.perform()  # <- posts
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
