# SPDX-License-Identifier: Apache-2.0
import os

import redis
from flask import Flask

app = Flask(__name__)
db = redis.Redis(port=int(os.environ["DB"]))


@app.get("/apps")
def apps() -> dict[str, int]:
    return {
        str(number): int(db.get(f"installs:{number}") or 0)  # <- asks
        for number in range(400)
    }


app.run(port=int(os.environ["PORT"]))
