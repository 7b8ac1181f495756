# SPDX-License-Identifier: Apache-2.0
import json
import signal
import threading
import time


class Buffer:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[str] = []

    def append(self, row: dict[str, int]) -> None:
        with self._lock:
            self._rows.append(json.dumps(row))
            time.sleep(0.002)

    def flush(self) -> None:
        if self._lock.locked():
            open("stuck", "w").close()
        with self._lock:  # <- takes
            self._rows.clear()


buffer = Buffer()
signal.signal(signal.SIGALRM, lambda *_: buffer.flush())
signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
number = 0
while True:
    number += 1
    buffer.append({"number": number})
