# SPDX-License-Identifier: Apache-2.0
import itertools
import sys
import time

import serial

line = serial.Serial(sys.argv[1], 1_000_000, timeout=0.015)


def position(servo: int) -> bytes:
    line.write(bytes((0xFF, 0xFF, 0xFD, 0x00, servo, 0x07, 0x00, 0x02, 0x84, 0x00, 0x04, 0x00)))
    return line.read(22)  # <- reads


began = time.monotonic()
for cycle in itertools.count(1):
    for servo in (1, 2):
        position(servo)
    if cycle % 20 == 0:
        print(f"{cycle / (time.monotonic() - began):.0f} cycles a second", flush=True)
