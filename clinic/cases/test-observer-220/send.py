# SPDX-License-Identifier: Apache-2.0
import time

from tasks import clean, promote

while True:
    promote.delay()
    clean.delay()
    print("sent", flush=True)
    time.sleep(0.5)
