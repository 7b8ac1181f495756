"""Work whose result can be checked byte for byte: worker.py ROUNDS MODE.

Threads and children pass random-looking data through sockets and pipes, and all of it goes into
one checksum. Prints the pid first, the checksum last, and ends with status 23. MODE is what it
does in the middle: "plain", "credentials" (becomes another user), "storm" (forks 200 times),
"exec" (goes on as a new program).
"""

import hashlib
import os
import random
import signal
import socket
import sys
import threading

NOBODY = 65534


def pass_on(data):
    """Through a socket pair, with a thread at the other end."""
    one, other = socket.socketpair()
    received = []

    def take():
        while part := other.recv(1 << 16):
            received.append(part)

    thread = threading.Thread(target=take)
    thread.start()
    one.sendall(data)
    one.close()
    thread.join()
    other.close()
    return b"".join(received)


def from_child(data):
    """Through a pipe, from a child process."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writer, hashlib.sha256(data).digest())
        os._exit(0)
    os.close(writer)
    digest = os.read(reader, 64)
    os.close(reader)
    assert os.waitpid(pid, 0) == (pid, 0)
    return digest


def storm():
    pids = []
    for _ in range(200):
        pid = os.fork()
        if not pid:
            os._exit(7)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] >> 8 for pid in pids] == [7] * 200


def work(rounds, checksum, chance):
    for _ in range(rounds):
        data = chance.randbytes(chance.randint(1, 1 << 17))
        checksum.update(pass_on(data))
        checksum.update(from_child(data))


def main():
    rounds, mode = int(sys.argv[1]), sys.argv[2]
    chance, checksum = random.Random(mode), hashlib.sha256()
    if len(sys.argv) == 3:
        print(os.getpid(), flush=True)
    if os.environ.get("WORKER_WAITS"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        signal.sigwait({signal.SIGUSR1})
    work(rounds, checksum, chance)
    if mode == "credentials":
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    elif mode == "storm":
        storm()
    elif mode == "exec" and len(sys.argv) == 3:
        os.environ.pop("WORKER_WAITS", None)
        os.execv(sys.executable, [sys.executable, *sys.argv, "again"])
    work(rounds, checksum, chance)
    print(checksum.hexdigest(), flush=True)
    os._exit(23)


main()
