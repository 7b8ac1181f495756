"""Five threads and three children that sleep until the end."""

import os
import threading
import time

from gate import finished, ready

THREADS, CHILDREN = 5, 3


def main():
    ready()
    for _ in range(THREADS):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    for _ in range(CHILDREN):
        if not os.fork():
            while os.getppid() != 1:
                time.sleep(0.05)
            os._exit(0)
    finished()


main()
