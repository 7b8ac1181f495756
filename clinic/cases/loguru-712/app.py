# SPDX-License-Identifier: Apache-2.0
import json
import os

from flask import Flask
from loguru import logger

app = Flask(__name__)


class Session:
    """Refers to itself, so that only the garbage collector ends it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        logger.info("session ended")  # <- logs


def sink(message) -> None:
    json.dumps([dict(message.record["extra"]) for _ in range(50)])
    print(message, end="", flush=True)


logger.remove()
logger.add(sink)


@app.get("/")
def index() -> str:
    Session()
    logger.info("request")  # <- logs
    return "ok"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
