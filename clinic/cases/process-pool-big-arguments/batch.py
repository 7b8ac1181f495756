# SPDX-License-Identifier: Apache-2.0
from concurrent.futures import ProcessPoolExecutor

TABLE = {f"customer {number}": [number, number / 7] for number in range(150_000)}


def score(table: dict[str, list[float]], customer: str) -> float:
    return sum(table[customer])


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        while True:
            jobs = [pool.submit(score, TABLE, f"customer {n}") for n in range(8)]
            print(sum(job.result() for job in jobs))  # <- waits


if __name__ == "__main__":
    main()
