# SPDX-License-Identifier: Apache-2.0
import os
import random

import numpy
from flask import Flask

app = Flask(__name__)
vectors = numpy.memmap("share/vectors.f32", numpy.float32, "r").reshape(-1, 256)


@app.get("/similar")
def similar() -> str:
    row = random.randrange(len(vectors))
    return f"{numpy.array(vectors[row]).sum()}\n"  # <- reads


@app.get("/health")
def health() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
