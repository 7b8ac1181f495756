# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import hashlib


def digest(number: int) -> str:
    data = str(number).encode()
    for _ in range(60_000):
        data = hashlib.sha256(data).digest()
    return data.hex()


def main() -> None:
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        for number, _ in enumerate(pool.map(digest, range(100_000))):
            print("done", number, flush=True)


if __name__ == "__main__":
    main()
