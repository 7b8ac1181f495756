# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import time


def reconstruct(number: int) -> int:
    if number == 3:
        with open("victim", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    time.sleep(0.05)
    return number


def main() -> None:
    with multiprocessing.Pool(3) as pool:
        print(sum(pool.map(reconstruct, range(12), chunksize=1)))  # <- waits


if __name__ == "__main__":
    main()
