# SPDX-License-Identifier: Apache-2.0
"""Four processes take jobs from a multiprocessing queue, log through another one, and answer."""

import logging
import logging.handlers
import multiprocessing
import time
import zlib


def work(jobs, results, log) -> None:
    logger = logging.getLogger()
    logger.addHandler(logging.handlers.QueueHandler(log))
    logger.setLevel(logging.INFO)
    while (job := jobs.get()) is not None:
        results.put((job, len(zlib.compress(bytes(str(job), "ascii") * 20_000))))
        logger.info("thumb %d", job)


def main() -> None:
    jobs, results, log = (multiprocessing.Queue() for _ in range(3))
    file = logging.FileHandler("thumbs.log")
    logging.handlers.QueueListener(log, file).start()
    for _ in range(4):
        multiprocessing.Process(target=work, args=(jobs, results, log), daemon=True).start()
    number = 0
    while True:
        for _ in range(8):
            number += 1
            jobs.put(number)
        for _ in range(8):
            results.get(timeout=10)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
