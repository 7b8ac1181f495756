# SPDX-License-Identifier: Apache-2.0
import logging
import logging.handlers
import os

from flask import Flask

logging.basicConfig(level=logging.INFO, handlers=[logging.handlers.SysLogHandler("log.sock")])
app = Flask(__name__)
log = logging.getLogger("shop")


@app.get("/")
def index() -> str:
    log.info("order %s", "x" * 200)  # <- logs
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
