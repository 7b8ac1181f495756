# SPDX-License-Identifier: Apache-2.0
"""Watches a folder, reads what is new there in two threads, and keeps an index in SQLite."""

import hashlib
import logging
import logging.handlers
import os
import queue
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

records = queue.SimpleQueue()
log = logging.getLogger("indexer")
log.setLevel(logging.INFO)
log.addHandler(logging.handlers.QueueHandler(records))
file = logging.handlers.RotatingFileHandler("indexer.log", maxBytes=200_000, backupCount=2)
logging.handlers.QueueListener(records, file).start()
rows = queue.Queue(100)
pool = ThreadPoolExecutor(2)


def index(path):
    with open(path, "rb") as new:
        digest = hashlib.file_digest(new, "sha256").hexdigest()
    rows.put((os.path.basename(path), digest))
    log.info("indexed %s", path)


class New(FileSystemEventHandler):
    def on_closed(self, event):
        pool.submit(index, event.src_path)


def keep():
    db = sqlite3.connect("index.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, digest TEXT)")
    while True:
        batch = [rows.get()]
        time.sleep(0.2)
        while not rows.empty():
            batch.append(rows.get())
        with db:
            db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", batch)


threading.Thread(target=keep, daemon=True).start()
observer = Observer()
observer.schedule(New(), "inbox", recursive=True)
observer.start()
while True:
    time.sleep(2)
    free = subprocess.run(["df", "inbox"], capture_output=True, text=True, check=True).stdout
    log.info("free: %s", free.split()[-3])
