# SPDX-License-Identifier: Apache-2.0
import sys
import threading
import time

import serial

line = serial.Serial(sys.argv[1], 115_200, timeout=1)
reading_event = threading.Event()
reading_event.set()
values = []


def reading():
    while reading_event.is_set():
        raw_reading = line.readline()  # <- reads
        values.append(float(raw_reading.split(b",")[1]))


threading.Thread(target=reading, daemon=True).start()
while True:
    time.sleep(1)
    print(len(values), "values", flush=True)
    values.clear()
