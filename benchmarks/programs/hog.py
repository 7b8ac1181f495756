# SPDX-License-Identifier: Apache-2.0
"""Takes its CPU from all others for as many ms as each line says; tells its begin and its end."""

import os
import sys
import time

os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
for line in sys.stdin:
    begin = time.monotonic_ns()
    print(begin, flush=True)
    while time.monotonic_ns() < begin + int(line) * 1_000_000:
        pass
    print(time.monotonic_ns(), flush=True)
