# SPDX-License-Identifier: Apache-2.0
import threading

import sh

finished = threading.Event()


def done(command, success, code):
    print(f"{command} ended with {code}", flush=True)  # <- prints
    finished.set()


command = sh.sleep("1", _bg=True, _done=done)
print("started", flush=True)
command.wait()
finished.wait()
