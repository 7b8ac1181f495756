# SPDX-License-Identifier: Apache-2.0
"""servos.py PATH: two servos on a serial line; each answers a request after 0.3 ms, as the line
takes for 15 bytes."""

import os
import sys
import time
import tty

ours, theirs = os.openpty()
tty.setraw(theirs)
os.symlink(os.ttyname(theirs), sys.argv[1])
while True:
    request = os.read(ours, 100)
    time.sleep(0.0003)
    os.write(ours, b"\xff\xff\xfd\x00" + request[4:5] + bytes(10))
