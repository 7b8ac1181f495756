# SPDX-License-Identifier: Apache-2.0
"""Sends the log on over a slow line: 4 KB at a time."""

import os
import time

while os.read(0, 4096):
    time.sleep(0.4)
