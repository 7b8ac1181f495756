# SPDX-License-Identifier: Apache-2.0
import hashlib

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    hashlib.pbkdf2_hmac("sha256", b"page", b"", 3000)
    return "page\n"
