# SPDX-License-Identifier: Apache-2.0
import os
import random

from flask import Flask

app = Flask(__name__)
documents = {n: bytearray(random.randbytes(4096)) for n in range(40_000)}


@app.get("/document")
def document() -> str:
    total = 0
    for _ in range(20):
        total += documents[random.randrange(len(documents))][100]  # <- reads
    return f"{total}\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
