# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

RATES = f"http://127.0.21.1:{int(os.environ['PORT']) + 1}/rates"
app = Flask(__name__)
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, status_forcelist=[429, 503])))


@app.get("/convert")
def convert() -> str:
    return session.get(RATES, timeout=2).text  # <- asks


@app.get("/")
def index() -> str:
    return "ok\n"
