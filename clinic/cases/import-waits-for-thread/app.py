# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    import plugins  # <- imports

    return str(plugins.LOADED)


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
