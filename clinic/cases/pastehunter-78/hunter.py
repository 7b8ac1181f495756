# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import time


def scanner(pastes) -> None:
    while True:
        if pastes.empty():  # <- looks
            continue
        paste = pastes.get()
        hash(paste)


if __name__ == "__main__":
    pastes = multiprocessing.Queue()
    for _ in range(2):
        multiprocessing.Process(target=scanner, args=(pastes,), daemon=True).start()
    while True:
        for number in range(5):
            pastes.put(f"paste {number}")
        time.sleep(2)
