# SPDX-License-Identifier: Apache-2.0
import queue
import threading

tasks: queue.PriorityQueue[tuple[int, str]] = queue.PriorityQueue()
stopping = threading.Event()


def worker() -> None:
    while not stopping.is_set():
        try:
            priority, task = tasks.get(timeout=0.001)  # <- polls
        except queue.Empty:
            continue
        print(priority, task, flush=True)


threads = [threading.Thread(target=worker) for _ in range(15)]
for thread in threads:
    thread.start()
stopping.wait()
