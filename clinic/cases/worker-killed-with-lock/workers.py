# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import time


def work(lock: "multiprocessing.synchronize.Lock", number: int) -> None:
    while True:
        with lock:  # <- waits
            if number == 0 and not os.path.exists("victim"):
                with open("victim", "w") as file:
                    file.write(str(os.getpid()))
                time.sleep(60)
        time.sleep(0.05)


if __name__ == "__main__":
    ring = multiprocessing.Lock()
    for each in range(3):
        multiprocessing.Process(target=work, args=(ring, each)).start()
