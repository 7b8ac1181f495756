# SPDX-License-Identifier: Apache-2.0
"""A server with an idle shell in a terminal, and commands that are run for requests."""

import os
import subprocess
import threading

import pexpect
from flask import Flask

app = Flask(__name__)
shell = pexpect.spawn("/bin/sh")
sidecar = subprocess.Popen(["sleep", "600"])


def output() -> None:
    while shell.read_nonblocking(1000, timeout=None):
        pass


threading.Thread(target=output, daemon=True).start()
threading.Thread(target=sidecar.wait, daemon=True).start()


@app.get("/version")
def version() -> str:
    return subprocess.run(["uname", "-r"], stdout=subprocess.PIPE, text=True).stdout


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
