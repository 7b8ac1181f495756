# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import time


def step(barrier: "multiprocessing.synchronize.Barrier", cells: int) -> None:
    state = list(range(cells))
    while True:
        state = [cell * 5 % 8191 for cell in state]
        barrier.wait()  # all are at the same time


if __name__ == "__main__":
    together = multiprocessing.Barrier(4)
    for cells in (20_000, 40_000, 60_000):
        multiprocessing.Process(target=step, args=(together, cells), daemon=True).start()
    while True:
        together.wait()
        time.sleep(0.1)  # a picture
