# SPDX-License-Identifier: Apache-2.0
"""Asks gunc which version it is before each sample, as a workflow's rules do."""

import os
import subprocess
import sys

GUNC = os.path.join(os.path.dirname(sys.executable), "gunc")
sample = 0
while True:
    sample += 1
    version = subprocess.check_output([GUNC, "--version"], text=True)  # <- starts
    print("sample", sample, version.strip(), flush=True)
