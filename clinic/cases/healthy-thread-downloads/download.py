# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import requests

URL = f"http://127.0.0.1:{os.environ['PORT']}"
local = threading.local()


def session() -> requests.Session:
    if not hasattr(local, "session"):
        local.session = requests.Session()
    return local.session


def download(number: int) -> str:
    answer = session().get(f"{URL}/{number}", timeout=10)
    answer.raise_for_status()
    return hashlib.sha256(answer.content).hexdigest()


with ThreadPoolExecutor(8) as pool:
    for start in range(0, 100_000, 500):
        futures = [pool.submit(download, number) for number in range(start, start + 500)]
        seen = {future.result() for future in as_completed(futures)}
        print(start, len(seen), flush=True)
