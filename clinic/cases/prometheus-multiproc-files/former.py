# SPDX-License-Identifier: Apache-2.0
"""former.py COUNT: the files of as many workers that have ended."""

import os
import shutil
import sys

from prometheus_client import Counter

hits = Counter("hits", "Requests by path", ["path"])
for number in range(60):
    hits.labels(f"/items/{number}").inc()
home = os.environ["PROMETHEUS_MULTIPROC_DIR"]
for pid in range(1_000_000, 1_000_000 + int(sys.argv[1])):
    shutil.copy(f"{home}/counter_{os.getpid()}.db", f"{home}/counter_{pid}.db")
