# SPDX-License-Identifier: Apache-2.0
import time

with open("out.fifo", "rb", buffering=0) as pipe:
    while pipe.read(4096):
        time.sleep(0.2)
