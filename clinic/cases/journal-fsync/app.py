# SPDX-License-Identifier: Apache-2.0
import json
import os

from flask import Flask

app = Flask(__name__)
journal = open("slowdisk/turns.jsonl", "a")


@app.get("/chat")
def chat() -> str:
    journal.write(json.dumps({"role": "user", "text": "hello"}) + "\n")
    journal.flush()
    os.fsync(journal.fileno())  # <- syncs
    return "ok\n"
