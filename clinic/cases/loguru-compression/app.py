# SPDX-License-Identifier: Apache-2.0
import sys

from flask import Flask
from loguru import logger

app = Flask(__name__)
logger.remove()
logger.add("app.log", rotation="3 MB", compression="tar.xz", retention=2)
BODY = "".join(f"{number * 7919 % 100003:x}" for number in range(1500))


@app.get("/")
def index() -> str:
    logger.info("request: {}", BODY)  # <- logs
    return "ok\n"


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
