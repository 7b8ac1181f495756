# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import os
import random

import requests

metrics = requests.Session()
URL = f"http://127.0.64.1:{os.environ['PORT']}/write"


def save(device, state):
    with open(f"state/{device}.json", "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())  # <- saves


async def watch(device):
    while True:
        await asyncio.sleep(random.uniform(0.3, 0.7))
        state = {"device": device, "level": random.random()}
        metrics.get(URL, params=state)  # <- asks
        save(device, state)


async def main():
    os.mkdir("state")
    await asyncio.gather(*(watch(device) for device in range(80)))


asyncio.run(main())
