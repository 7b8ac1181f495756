# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import sys

import serial


def average(values):
    """A process of its own takes what was read."""
    count = total = 0
    while True:
        count, total = count + 1, total + values.get()
        if count % 100 == 0:
            print(f"{total / count:.1f} on the average of {count} values", flush=True)


def lines(port):
    """As they come, of all that is there."""
    rest = b""
    while True:
        rest += port.read(max(1, port.in_waiting))
        *whole, rest = rest.split(b"\r\n")
        yield from whole


if __name__ == "__main__":
    readings = multiprocessing.Queue()
    multiprocessing.Process(target=average, args=(readings,), daemon=True).start()
    for line in lines(serial.Serial(sys.argv[1], 115_200, timeout=1)):
        readings.put(float(line.split(b",")[1]))
