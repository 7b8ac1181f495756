# SPDX-License-Identifier: Apache-2.0
import logging
import logging.handlers
import os

from flask import Flask

app = Flask(__name__)
mail = ("127.0.25.1", int(os.environ["PORT"]) + 1)
to_admins = logging.handlers.SMTPHandler(mail, "app@example.org", ["ops@example.org"], "Error")
to_admins.setLevel(logging.ERROR)
app.logger.addHandler(to_admins)


@app.get("/")
def index() -> tuple[str, int]:
    try:
        raise ConnectionError("the database is gone")
    except ConnectionError:
        app.logger.exception("no connection")  # <- tells
        return "sorry\n", 503
