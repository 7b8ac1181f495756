# SPDX-License-Identifier: Apache-2.0
import multiprocessing


def score(number: int) -> int:
    return number * number


multiprocessing.set_start_method("spawn", force=True)
pool = multiprocessing.Pool(2)
print(sum(pool.map(score, range(1000))))  # <- waits
