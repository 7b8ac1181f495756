# SPDX-License-Identifier: Apache-2.0
"""Puts three files into the grid, which takes its time."""

import time

for name in ("a", "b", "c"):
    time.sleep(0.5)
    print(name, "uploaded", flush=True)
