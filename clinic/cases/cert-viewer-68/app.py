# SPDX-License-Identifier: Apache-2.0
import hashlib
import os

import requests
from flask import Flask, jsonify, url_for

app = Flask(__name__)


@app.get("/certificates/<int:number>")
def certificate(number: int):
    return jsonify(number=number, name="A. Student", signature="00")


@app.get("/verify/<int:number>")
def verify(number: int) -> str:
    address = url_for("certificate", number=number, _external=True)
    issued = requests.get(address).content  # <- asks
    return hashlib.sha256(issued).hexdigest()


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=False)
