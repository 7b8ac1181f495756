# SPDX-License-Identifier: Apache-2.0
import os

import httpx
import pandas
import trio

LABELS = f"http://127.0.86.1:{int(os.environ['PORT']) + 1}/label"
rows = pandas.DataFrame({"text": [str(number) for number in range(3_000_000)]})


async def label(client, limiter, text):
    async with limiter:
        await client.post(LABELS, content=text)


async def main():
    limiter = trio.CapacityLimiter(100)
    async with httpx.AsyncClient() as client, trio.open_nursery() as nursery:
        for row in rows.itertuples():
            nursery.start_soon(label, client, limiter, row.text)  # <- starts


print("rows: ", len(rows), flush=True)
trio.run(main)
