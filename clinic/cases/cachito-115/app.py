# SPDX-License-Identifier: Apache-2.0
from flask import Flask, jsonify
from models import Request, Session
from sqlalchemy import select

app = Flask(__name__)


@app.get("/requests")
def requests():
    with Session() as session:
        found = session.scalars(select(Request).limit(150))
        return jsonify([request.to_json() for request in found])


@app.get("/")
def health() -> str:
    return "ok"
