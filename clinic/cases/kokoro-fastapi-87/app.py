# SPDX-License-Identifier: Apache-2.0
import os
import queue
import threading

from flask import Flask

app = Flask(__name__)


class Backend:
    """Speaks in a thread of its own, which nobody ends."""

    def __init__(self) -> None:
        self.texts: queue.Queue[tuple[str, queue.Queue[str]]] = queue.Queue()
        threading.Thread(target=self.speak, daemon=True).start()  # <- grows

    def speak(self) -> None:
        while True:
            text, spoken = self.texts.get()  # <- grows
            spoken.put(text.upper())


@app.get("/speech")
def speech() -> str:
    spoken: queue.Queue[str] = queue.Queue()
    Backend().texts.put(("hello", spoken))  # <- grows
    return spoken.get()


app.run(port=int(os.environ["PORT"]))
