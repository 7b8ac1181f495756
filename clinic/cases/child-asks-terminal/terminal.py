# SPDX-License-Identifier: Apache-2.0
"""terminal.py COMMAND...: run it with a terminal as its stdin, at which nobody types."""

import os
import subprocess
import sys

ours, theirs = os.openpty()
with subprocess.Popen(sys.argv[1:], stdin=theirs) as process:
    os.close(theirs)
    with open("pid", "w") as file:
        file.write(str(process.pid))
    os.rename("pid", "started")
