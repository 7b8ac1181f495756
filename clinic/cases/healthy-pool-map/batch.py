# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import urllib.request

URL = f"http://127.0.0.1:{int(os.environ['PORT']) + 2}/parts"


def count(number: int) -> int:
    size = len(urllib.request.urlopen(f"{URL}/{number}", timeout=5).read())
    return size + sum(one * one for one in range(200_000))


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(sum(pool.map(count, range(10_000), chunksize=5_000)))
