# SPDX-License-Identifier: Apache-2.0
import hashlib
from concurrent.futures import ProcessPoolExecutor


def thumbnail(number):
    """Leaks some memory: each process is to make no more than two."""
    return hashlib.pbkdf2_hmac("sha256", b"%d" % number, b"salt", 20_000)


def main():
    with ProcessPoolExecutor(2, max_tasks_per_child=2) as pool:
        futures = [pool.submit(thumbnail, number) for number in range(20)]
        for number, future in enumerate(futures, 1):
            future.result()  # <- waits
            print("done", number, flush=True)


if __name__ == "__main__":
    main()
