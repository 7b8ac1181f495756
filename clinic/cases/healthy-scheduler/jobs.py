# SPDX-License-Identifier: Apache-2.0
"""A job each second, workers that wait for them, a folder that is watched, a module that is
imported when it is needed."""

import importlib
import queue
import sys
import threading
import time

import schedule
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

tasks: queue.Queue[str] = queue.Queue()


class Changed(FileSystemEventHandler):
    def on_any_event(self, event: FileSystemEvent) -> None:
        if not event.is_directory and event.event_type == "modified":
            tasks.put(str(event.src_path))


def worker() -> None:
    while True:
        try:
            task = tasks.get(timeout=1)
        except queue.Empty:
            continue
        module = importlib.import_module("plugin")
        module.done(task)


def job() -> None:
    sys.modules.pop("plugin", None)
    with open("inbox/note", "a") as file:
        file.write("x")


sys.path.insert(0, "share")
observer = Observer()
observer.schedule(Changed(), "inbox")
observer.start()
for _ in range(4):
    threading.Thread(target=worker, daemon=True).start()
schedule.every(1).seconds.do(job)
while True:
    schedule.run_pending()
    time.sleep(0.2)
