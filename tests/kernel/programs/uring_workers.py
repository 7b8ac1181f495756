"""An open(2) that a thread of io_uring makes, and never ends: uring_workers.py before|during
(the trace). A FIFO opens when somebody opens its other end; whatever may create a file is left to
such a thread (io_openat_force_async in the kernel's io_uring/openclose.c).
"""

import os
import sys
import tempfile

import uring_api
from gate import finished, ready


def main():
    when = sys.argv[1]
    ring = uring_api.Ring(8)
    with tempfile.TemporaryDirectory() as directory:
        fifo = f"{directory}/fifo"
        os.mkfifo(fifo)

        def open_it():
            ring.prepare_openat(uring_api.AT_FDCWD, fifo, os.O_RDONLY | os.O_CREAT)
            ring.submit()

        if when == "before":
            open_it()
        ready()
        if when == "during":
            open_it()
        finished()


main()
