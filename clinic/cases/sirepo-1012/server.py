# SPDX-License-Identifier: Apache-2.0
import elegant
from flask import Flask

app = Flask(__name__)


@app.get("/run-status")
def run_status() -> str:
    errors, element = elegant.parse_log("elegant.log")
    return f"{len(errors)} bytes of errors, last element {element}\n"


@app.get("/")
def root() -> str:
    return "the simulations\n"
