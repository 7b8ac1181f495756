# SPDX-License-Identifier: Apache-2.0
"""terminal.py COMMAND...: runs it in a terminal of its own, as a shell would."""

import os
import pty
import sys

pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
while os.read(terminal, 1000):
    pass
