"""Rounds of children and threads: churn.py EACH. A round begins with each SIGUSR1.

Each child and each thread polls once, and sends three messages of five bytes.
"""

import os
import select
import signal
import socket
import sys
import threading

from gate import ready


def _send(end):
    poll = select.poll()
    poll.register(end, select.POLLOUT)
    poll.poll()
    for _ in range(3):
        end.send(b"bytes")


def main():
    each = int(sys.argv[1])
    one, other = socket.socketpair()
    ready()
    while True:
        for _ in range(each):
            pid = os.fork()
            if not pid:
                _send(one)
                os._exit(0)
            os.waitpid(pid, 0)
            thread = threading.Thread(target=_send, args=(one,))
            thread.start()
            thread.join()
            other.recv(4096)
        signal.sigwait({signal.SIGUSR1})


main()
