# SPDX-License-Identifier: Apache-2.0
import random

from flask import Flask
from loguru import logger

app = Flask(__name__)
logger.remove()
logger.add("app.log", rotation="6 MB", compression="tar.xz", retention=2)
BODY = random.randbytes(30_000).hex()


@app.get("/")
def index() -> str:
    logger.info("request: {}", BODY)  # <- logs
    return "ok\n"
