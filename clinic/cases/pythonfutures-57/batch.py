# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import time


def work(rows):
    time.sleep(0.2)
    return len(rows)


def rows():
    number = 0
    while True:
        number += 1
        yield {number + key: "x" * 40 for key in range(20_000)}


def main():
    with concurrent.futures.ProcessPoolExecutor(4) as pool:
        for part in rows():
            pool.submit(work, part)  # <- submits
            time.sleep(0.01)


if __name__ == "__main__":
    main()
