# SPDX-License-Identifier: Apache-2.0
import multiprocessing


def work(shared: dict[int, int], first: int) -> None:
    while True:
        for key in range(first, first + 1_000):
            shared[key] = shared.get(key, 0) + 1  # <- shares


def main() -> None:
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        workers = [
            multiprocessing.Process(target=work, args=(shared, 1_000 * number))
            for number in range(3)
        ]
        for worker in workers:
            worker.start()
        print("started", flush=True)
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    main()
