# SPDX-License-Identifier: Apache-2.0
"""sensor.py PATH: a sensor at a USB serial port that sends a line every 10 ms."""

import os
import sys
import time
import tty

ours, theirs = os.openpty()
tty.setraw(theirs)
os.symlink(os.ttyname(theirs), sys.argv[1])
next_line, number = time.monotonic(), 0
while True:
    os.write(ours, b"%08d,%+010.4f,%+010.4f,ok\r\n" % (number, number % 360, number % 90))
    number += 1
    next_line += 0.01
    time.sleep(max(0, next_line - time.monotonic()))
