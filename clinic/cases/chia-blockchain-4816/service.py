# SPDX-License-Identifier: Apache-2.0
"""The harvester, the farmer, the wallet: they log to the same file."""

import sys
import time

from chialog import initialize_logging

log = initialize_logging(sys.argv[1])
while True:
    for plot in range(60):
        log.debug("plot %d passed the filter", plot)
    time.sleep(0.02)
