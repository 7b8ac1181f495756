# SPDX-License-Identifier: Apache-2.0
"""hub.py ADDRESS PORT [DIES]: takes images; the first one dies while it has one."""

import os
import signal
import sys

import imagezmq

hub = imagezmq.ImageHub(f"tcp://{sys.argv[1]}:{sys.argv[2]}")
count = 0
while True:
    name, image = hub.recv_image()
    count += 1
    if count == 20 and len(sys.argv) > 3:
        os.kill(os.getpid(), signal.SIGKILL)
    hub.send_reply(b"OK")
