# SPDX-License-Identifier: Apache-2.0
"""board.py LINK: a board with Telemetrix4Arduino on a serial port; LINK is where it is found. It
reports an input a few times a second."""

import os
import select
import sys
import tty

ANSWERS = {6: bytes((2, 6, 1)), 5: bytes((4, 5, 5, 4, 1)), 54: bytes((2, 20, 255))}

board, port = os.openpty()
tty.setraw(port)
os.symlink(os.ttyname(port), sys.argv[1])
kept, on = b"", 0
while True:
    if not select.select([board], [], [], 0.3)[0]:
        continue
    kept += os.read(board, 100)
    while kept and len(kept) > kept[0]:
        command, kept = kept[1 : kept[0] + 1], kept[kept[0] + 1 :]
        os.write(board, ANSWERS.get(command[0], b""))
