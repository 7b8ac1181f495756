# SPDX-License-Identifier: Apache-2.0
import multiprocessing

model = {}


def load() -> None:
    model["weights"] = open("weights.bin", "rb").read()


def score(number: int) -> int:
    return number * len(model["weights"])


if __name__ == "__main__":
    with multiprocessing.Pool(2, initializer=load) as pool:
        print(sum(pool.map(score, range(1000))))  # <- waits
