# SPDX-License-Identifier: Apache-2.0
import time

import requests

session = requests.Session()
snapshot = bytes(400_000)
while True:
    start = time.monotonic()
    session.put("http://10.9.0.9:8080/snapshot", data=snapshot)  # <- uploads
    print(time.monotonic() - start, flush=True)
    open("uploaded", "w").close()
    time.sleep(0.05)
