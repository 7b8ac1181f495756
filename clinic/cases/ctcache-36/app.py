# SPDX-License-Identifier: Apache-2.0
import json
import os
import time

from flask import Flask

app = Flask(__name__)
STATS = "shared/stats.json"


class FileLock:
    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        while True:
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL))  # <- takes
                return
            except FileExistsError:
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        os.unlink(self.path)


@app.get("/hit")
def hit() -> str:
    with FileLock("shared/stats.lock"):  # <- takes
        with open(STATS) as file:
            stats = json.load(file)
        stats["hits"] += 1
        with open(STATS, "w") as file:
            json.dump(stats, file)
    return f"{stats['hits']}\n"
