# SPDX-License-Identifier: Apache-2.0
import logging
import sys

from flask import Flask
from fluent.handler import FluentHandler

app = Flask(__name__)
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(FluentHandler("shop.web", host="127.0.108.1", port=int(sys.argv[2])))


@app.get("/")
def page():
    log.info("a visitor")  # <- logs
    return "well"


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
