# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import time


def count(number: int) -> int:
    time.sleep(0.02)  # a scanner that takes its time
    return sum(one * one for one in range(20_000)) + number


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(sum(pool.map(count, range(10_000), chunksize=5_000)))
