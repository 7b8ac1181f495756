# SPDX-License-Identifier: Apache-2.0
"""bus.py LINK: a serial bus with Modbus devices 1 to 6, of which 5 has no power. LINK: its port."""

import os
import sys
import tty

OFF = 5


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


bus, port = os.openpty()
tty.setraw(port)
os.symlink(os.ttyname(port), sys.argv[1])
while asked := os.read(bus, 8):
    while len(asked) < 8:
        asked += os.read(bus, 8 - len(asked))
    if asked[0] != OFF:
        count = int.from_bytes(asked[4:6], "big")
        answer = bytes((asked[0], asked[1], 2 * count)) + bytes(2 * count)
        os.write(bus, answer + crc(answer))
