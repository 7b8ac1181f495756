# SPDX-License-Identifier: Apache-2.0
import os
from multiprocessing import Pool

from pymemcache.client.base import Client

client = Client(("127.0.112.1", int(os.environ["CACHE"])))


def add(number):
    return client.add(f"key{number}", 42, noreply=False)  # <- asks


if __name__ == "__main__":
    client.flush_all(noreply=False)
    with Pool(4) as pool:
        print(len(pool.map(add, range(100_000))), flush=True)  # <- waits
