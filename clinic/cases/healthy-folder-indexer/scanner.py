# SPDX-License-Identifier: Apache-2.0
"""An office scanner: a page every 50 ms or so."""

import os
import random
import time

number = 0
while True:
    number += 1
    with open(f"inbox/{number % 500}.tif", "wb") as page:
        page.write(os.urandom(100_000))
    time.sleep(random.uniform(0.02, 0.1))
