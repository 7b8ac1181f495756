# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time

from multiprocess import get_context


def leave(number, frame):
    raise SystemExit("worker received SIGTERM")


def scan(item):
    signal.signal(signal.SIGTERM, leave)
    time.sleep(0.02)
    if item == 6:
        os.kill(os.getpid(), signal.SIGTERM)  # as somebody who limits its memory does
    return item


def main():
    pool = get_context().Pool(processes=2, maxtasksperchild=1)
    for item in pool.imap(scan, range(40)):  # <- waits
        print(item, "is done", flush=True)
    print("all done", flush=True)


if __name__ == "__main__":
    main()
