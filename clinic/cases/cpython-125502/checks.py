# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import sys
from subprocess import PIPE


async def check():
    process = await asyncio.create_subprocess_exec("sleep", "0.002", stdout=PIPE)  # <- starts
    await process.communicate()


async def checks():
    try:
        async with asyncio.timeout(0.3):
            pending = set()
            while True:
                while len(pending) < 20:
                    pending.add(asyncio.create_task(check()))
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.TimeoutError:
        print("time is up", flush=True)


for number in range(1000):
    asyncio.run(checks())
    with open("rounds", "w") as file:
        print(number, file=file)
os.remove("rounds")
sys.exit("it has never hung")
