# SPDX-License-Identifier: Apache-2.0
"""dashboard.py URL: asks for the fleet again and again."""

import sys
import time
from xmlrpc.client import ServerProxy

while True:
    ServerProxy(sys.argv[1]).fleet.all_names()
    time.sleep(0.01)
