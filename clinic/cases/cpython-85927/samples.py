# SPDX-License-Identifier: Apache-2.0
import multiprocessing

samples = multiprocessing.Queue()


def measure(count):
    for number in range(count):
        samples.put((number, bytes(100)))


if __name__ == "__main__":
    measure(5000)
    print("done", flush=True)
