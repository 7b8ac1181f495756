# SPDX-License-Identifier: Apache-2.0
import os
import queue
import threading
import urllib.request

URL = f"http://127.0.30.1:{int(os.environ['PORT']) + 1}/page"
pages = queue.Queue()


def fetch() -> None:
    while True:
        number = pages.get()
        text = urllib.request.urlopen(f"{URL}/{number}", timeout=5).read()
        if number % 7 == 3:
            text.decode("ascii").index("<title>")  # not in this page: ValueError ends the thread
        pages.task_done()


for _ in range(4):
    threading.Thread(target=fetch, daemon=True).start()
for page in range(100):
    pages.put(page)
pages.join()  # <- waits
print("done", flush=True)
