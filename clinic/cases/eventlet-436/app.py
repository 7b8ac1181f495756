# SPDX-License-Identifier: Apache-2.0
import os

import eventlet

eventlet.monkey_patch()

import psycopg2  # noqa: E402
from eventlet import wsgi  # noqa: E402

DATABASE = f"host=127.0.47.1 port={int(os.environ['PORT']) + 1} dbname=nova user=nova"


def application(environ, start_response):
    if environ["PATH_INFO"] == "/touch":
        with psycopg2.connect(DATABASE) as connection:  # <- waits
            connection.cursor().execute("UPDATE services SET touched = now()")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


wsgi.server(eventlet.listen(("127.0.0.1", int(os.environ["PORT"]))), application)
