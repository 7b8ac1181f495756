# SPDX-License-Identifier: Apache-2.0
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def database():
    db = sqlite3.connect("volume/reports.db", timeout=15)
    db.execute("PRAGMA journal_mode=WAL")
    return db


def note(path):
    db = database()
    try:
        with db:  # <- commits
            db.execute("INSERT INTO notes (path) VALUES (?)", (path,))  # <- inserts
    finally:
        db.close()


class Console(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        note(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


database().execute("CREATE TABLE IF NOT EXISTS notes (path TEXT)")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Console).serve_forever()
