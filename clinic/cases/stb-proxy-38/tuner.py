# SPDX-License-Identifier: Apache-2.0
"""A tuner that has a film in store, at most 100 megabytes a second."""

import random
import sys
import time

film = random.Random(7).randbytes(200_000)
while True:
    sys.stdout.buffer.write(film)
    sys.stdout.buffer.flush()
    time.sleep(0.002)
