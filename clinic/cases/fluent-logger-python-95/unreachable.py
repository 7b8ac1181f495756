# SPDX-License-Identifier: Apache-2.0
"""unreachable.py ADDRESS PORT: nobody answers a SYN there: the accept queue is full."""

import socket
import sys
import time
from pathlib import Path

listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=0)
kept = []
while True:
    kept.append(socket.socket())
    kept[-1].settimeout(0.3)
    try:
        kept[-1].connect((sys.argv[1], int(sys.argv[2])))
    except TimeoutError:
        break
Path("unreachable").touch()
time.sleep(10_000)
