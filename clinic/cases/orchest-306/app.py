# SPDX-License-Identifier: Apache-2.0
import eventlet

eventlet.monkey_patch()

import os
import shutil
import tempfile

from eventlet import wsgi
from flask import Flask

app = Flask(__name__)


@app.get("/snapshot")
def snapshot() -> str:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree("userdir/project", f"{folder}/project")  # <- copies
    return "done\n"


@app.get("/health")
def health() -> str:
    return "ok\n"


wsgi.server(eventlet.listen(("127.0.0.1", int(os.environ["PORT"]))), app)
