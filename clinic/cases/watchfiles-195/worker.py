# SPDX-License-Identifier: Apache-2.0
import time

while True:
    time.sleep(1)
