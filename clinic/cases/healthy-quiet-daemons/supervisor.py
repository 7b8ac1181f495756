# SPDX-License-Identifier: Apache-2.0
"""Has one thread; the handler of SIGCHLD puts into its queue what has become of a child."""

import os
import queue
import signal
import subprocess
import sys

events = queue.Queue()


def reap(*_):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        events.put((pid, os.waitstatus_to_exitcode(status)))


def started():
    return subprocess.Popen([sys.executable, "stopper.py"]).pid


signal.signal(signal.SIGCHLD, reap)
programs = {started(), started()}
print("supervisor is ready", flush=True)
while True:
    pid, code = events.get()
    programs.discard(pid)
    print(pid, "has ended with", code, flush=True)
    programs.add(started())
