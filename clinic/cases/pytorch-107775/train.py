# SPDX-License-Identifier: Apache-2.0
"""Worker processes load samples for the training, as a DataLoader with num_workers=3 has them."""

import multiprocessing
import os
import time

import numpy

SAMPLES = 20


def load(number):
    return numpy.load(f"data/{number}.npy")  # <- loads


def main():
    os.makedirs("data", exist_ok=True)
    for number in range(SAMPLES):
        numpy.save(f"data/{number}.npy", numpy.full((64, 64), number, "float32"))
    while not os.path.exists("scanning"):
        time.sleep(0.1)
    epoch = 0
    with multiprocessing.Pool(3) as workers:
        while True:
            epoch += 1
            total = 0.0
            for sample in workers.imap(load, range(SAMPLES)):  # <- waits
                total += float(sample.mean())
            print("epoch", epoch, total, flush=True)


if __name__ == "__main__":
    main()
