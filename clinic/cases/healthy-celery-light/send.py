# SPDX-License-Identifier: Apache-2.0
import time

from tasks import page

for number in range(10_000):
    page.delay(number).get()
    time.sleep(0.4)
