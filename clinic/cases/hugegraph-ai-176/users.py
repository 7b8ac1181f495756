# SPDX-License-Identifier: Apache-2.0
"""Six users who ask; prints how long each waited."""

import json
import os
import threading
import time
from urllib.request import Request, urlopen

CALL = f"http://127.0.0.1:{os.environ['PORT']}/gradio_api/call/answer"


def user():
    while True:
        start = time.monotonic()
        data = json.dumps({"data": ["why?"]}).encode()
        asked = Request(CALL, data, {"Content-Type": "application/json"})
        with urlopen(asked) as reply:
            event = json.load(reply)["event_id"]
        with urlopen(f"{CALL}/{event}") as stream:
            told = stream.read()
        print(f"{time.monotonic() - start:.1f} s", told[:60], flush=True)
        time.sleep(0.2)


for _ in range(6):
    threading.Thread(target=user).start()
