# SPDX-License-Identifier: Apache-2.0
import random
import time

from tasks import notify

for number in range(10_000):
    notify.delay(number)
    time.sleep(random.expovariate(6))
